-- One row per operation holds what was decided, sent and achieved: heal_events was the same row again.
ALTER TABLE "operations" ADD COLUMN "tenant_id" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "policy_id" uuid;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "previous_status" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "result" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "error_message" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "judged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "event_id" bigserial NOT NULL;--> statement-breakpoint
-- an event whose operation is gone
INSERT INTO "operations" ("id", "vm_id", "incident", "attempt", "action", "power", "escalation", "state", "verify_ms", "intended_at", "ended_at")
SELECT e."operation_id", e."vm_id", e."incident", 1, e."action", NULL, e."action" = 'escalate', 'done', 0, e."triggered_at", e."completed_at"
FROM "heal_events" e WHERE NOT EXISTS (SELECT FROM "operations" o WHERE o."id" = e."operation_id");--> statement-breakpoint
-- an operation whose event is gone
UPDATE "operations" o SET "tenant_id" = coalesce((SELECT v."tenant_id" FROM "vms" v WHERE v."id" = o."vm_id"), 'default'),
  "reason" = 'not recorded', "previous_status" = 'unknown', "judged_at" = o."ended_at",
  "result" = CASE o."state" WHEN 'done' THEN 'success' WHEN 'abandoned' THEN 'failed' ELSE 'pending' END,
  "event_id" = -o."event_id"
WHERE NOT EXISTS (SELECT FROM "heal_events" e WHERE e."operation_id" = o."id");--> statement-breakpoint
UPDATE "operations" o SET "tenant_id" = e."tenant_id", "policy_id" = e."policy_id", "reason" = e."reason",
  "previous_status" = e."previous_status", "result" = e."result", "error_message" = e."error_message",
  "judged_at" = e."completed_at", "event_id" = e."id"
FROM "heal_events" e WHERE e."operation_id" = o."id";--> statement-breakpoint
SELECT setval(pg_get_serial_sequence('operations', 'event_id'), greatest((SELECT max("id") FROM "heal_events"), 0) + 1, false);--> statement-breakpoint
ALTER TABLE "operations" ALTER COLUMN "tenant_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "operations" ALTER COLUMN "reason" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "operations" ALTER COLUMN "previous_status" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "operations" ALTER COLUMN "result" SET NOT NULL;--> statement-breakpoint
DROP TABLE "heal_events";--> statement-breakpoint
CREATE INDEX "operations_by_vm" ON "operations" ("vm_id", "intended_at" DESC);--> statement-breakpoint
-- "stop" is only a power action; the end of a heal is "close"
UPDATE "heal_steps" SET "kind" = 'close', "decision" = jsonb_set("decision", '{kind}', '"close"') WHERE "kind" = 'stop';
