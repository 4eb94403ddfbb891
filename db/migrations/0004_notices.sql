CREATE TABLE "notices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"tenant_id" text,
	"vm_id" uuid,
	"message" text NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"count" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "notices_one_open" ON "notices" ("kind", "subject") WHERE "closed_at" IS NULL;--> statement-breakpoint
CREATE INDEX "notices_by_tenant" ON "notices" ("tenant_id", "id" DESC);--> statement-breakpoint
DELETE FROM "system_config" WHERE "key" = 'reconcile.unwatched-sites';
