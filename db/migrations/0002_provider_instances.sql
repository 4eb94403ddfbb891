CREATE TABLE "provider_instances" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"site" text NOT NULL,
	"config" jsonb NOT NULL,
	"credentials" text,
	"revision" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "provider_instance_id" uuid;--> statement-breakpoint
CREATE UNIQUE INDEX "provider_instances_name_once" ON "provider_instances" (coalesce("tenant_id", ''), "name");--> statement-breakpoint
CREATE INDEX "vms_by_provider_instance" ON "vms" ("provider_instance_id") WHERE "provider_instance_id" IS NOT NULL;--> statement-breakpoint
-- the same path at another site is another socket
UPDATE "vms" SET "provider_key" = 'qemu:' || "site" || substr("provider_key", 5) WHERE "provider_key" LIKE 'qemu:/%';
