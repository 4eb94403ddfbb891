CREATE TABLE "check_proofs" (
	"check_id" uuid NOT NULL,
	"aim" text NOT NULL,
	"proven_at" timestamp with time zone NOT NULL,
	CONSTRAINT "check_proofs_check_id_aim_pk" PRIMARY KEY("check_id","aim")
);
--> statement-breakpoint
ALTER TABLE "check_configs" ADD COLUMN "series" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "check_configs" ADD COLUMN "trusted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "check_state" ADD COLUMN "proven_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "check_state" ADD COLUMN "failed_due_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "vm_status" ADD COLUMN "conclusive_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "started_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "check_state_unproven" ON "check_state" ("check_id") WHERE "proven_at" IS NULL;--> statement-breakpoint
-- a check that has been healthy is proven, and so is an agent that was heard
UPDATE "check_state" SET "proven_at" = "last_healthy_at" WHERE "last_healthy_at" IS NOT NULL;--> statement-breakpoint
UPDATE "check_state" st SET "proven_at" = a."last_heartbeat_at" FROM "check_configs" c JOIN "vm_agents" a ON a."vm_id" = c."vm_id"
WHERE c."id" = st."check_id" AND c."check_type" = 'agent' AND st."proven_at" IS NULL;--> statement-breakpoint
-- workers of before don't write it, and may still look for a while
UPDATE "vm_status" SET "conclusive_until" = now() + interval '1 day' WHERE "last_check_at" IS NOT NULL;
