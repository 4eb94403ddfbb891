ALTER TABLE "check_configs" ADD COLUMN "retry_interval_seconds" integer;--> statement-breakpoint
ALTER TABLE "check_state" ADD COLUMN "failing_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "unhealthy_for_seconds" integer;--> statement-breakpoint
-- by its id, because a number may be taken: the index would refuse the name, and the database would stay as it was
UPDATE "policies" p SET "name" = left(p."name", 150) || ' (' || p."id" || ')' FROM (
  SELECT "id", row_number() OVER (PARTITION BY "tenant_id", "vm_id", "tag", "name" ORDER BY "created_at", "id") AS place
  FROM "policies") twin WHERE twin."id" = p."id" AND twin.place > 1;--> statement-breakpoint
CREATE UNIQUE INDEX "policies_name_once" ON "policies" ("tenant_id", coalesce("vm_id"::text, ''), coalesce("tag", ''), "name");
