CREATE TABLE "check_configs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"vm_id" uuid NOT NULL,
	"check_type" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"target" text,
	"interval_seconds" integer NOT NULL,
	"timeout_seconds" integer,
	"failure_threshold" integer NOT NULL,
	"success_threshold" integer NOT NULL,
	"stale_after_seconds" integer,
	"options" jsonb NOT NULL,
	"enabled" boolean NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "check_results" (
	"vm_id" uuid NOT NULL,
	"check_id" uuid NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"checked_at" timestamp with time zone NOT NULL,
	"check_type" text NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"latency_ms" double precision,
	"error_message" text,
	"raw_response" jsonb,
	CONSTRAINT "check_results_vm_id_check_id_due_at_pk" PRIMARY KEY("vm_id","check_id","due_at")
) PARTITION BY RANGE ("due_at");
--> statement-breakpoint
CREATE TABLE "check_state" (
	"check_id" uuid PRIMARY KEY NOT NULL,
	"vm_id" uuid NOT NULL,
	"status" text NOT NULL,
	"consecutive_failures" integer NOT NULL,
	"consecutive_successes" integer NOT NULL,
	"last_due_at" timestamp with time zone,
	"last_check_at" timestamp with time zone,
	"last_healthy_at" timestamp with time zone,
	"last_unhealthy_at" timestamp with time zone,
	"reason" text NOT NULL,
	"message" text,
	"seq" bigint NOT NULL
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE TABLE "heal_events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"vm_id" uuid NOT NULL,
	"tenant_id" text NOT NULL,
	"incident" integer NOT NULL,
	"policy_id" uuid,
	"operation_id" text NOT NULL,
	"action" text NOT NULL,
	"reason" text NOT NULL,
	"result" text NOT NULL,
	"error_message" text,
	"previous_status" text NOT NULL,
	"new_status" text,
	"triggered_at" timestamp with time zone NOT NULL,
	"completed_at" timestamp with time zone,
	CONSTRAINT "heal_events_operation_id_unique" UNIQUE("operation_id")
);
--> statement-breakpoint
CREATE TABLE "heal_steps" (
	"vm_id" uuid NOT NULL,
	"incident" integer NOT NULL,
	"step" integer NOT NULL,
	"kind" text NOT NULL,
	"reason" text NOT NULL,
	"decision" jsonb NOT NULL,
	"guards" jsonb NOT NULL,
	"facts" jsonb NOT NULL,
	"decided_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "heal_steps_vm_id_incident_step_pk" PRIMARY KEY("vm_id","incident","step")
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"vm_id" uuid NOT NULL,
	"incident" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"outcome" text,
	CONSTRAINT "incidents_vm_id_incident_pk" PRIMARY KEY("vm_id","incident")
);
--> statement-breakpoint
CREATE TABLE "operations" (
	"id" text PRIMARY KEY NOT NULL,
	"vm_id" uuid NOT NULL,
	"incident" integer NOT NULL,
	"attempt" integer NOT NULL,
	"action" text NOT NULL,
	"power" text,
	"escalation" boolean NOT NULL,
	"state" text NOT NULL,
	"detail" text,
	"verify_ms" integer NOT NULL,
	"intended_at" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "policies" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"enabled" boolean NOT NULL,
	"trigger_after_failures" integer NOT NULL,
	"action" text NOT NULL,
	"cooldown_minutes" integer NOT NULL,
	"max_attempts" integer NOT NULL,
	"attempt_window_hours" integer NOT NULL,
	"notify_on_trigger" boolean NOT NULL,
	"escalate_after_attempts" integer,
	"escalation_action" text NOT NULL,
	"verify_seconds" integer NOT NULL,
	"vm_id" uuid,
	"tag" text,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"vm_id" uuid,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "system_config" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"role" text NOT NULL,
	"vm_id" uuid,
	"name" text NOT NULL,
	"token_hash" text NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "api_tokens_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "health_transitions" (
	"vm_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"tenant_id" text NOT NULL,
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	"reasons" jsonb NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "health_transitions_vm_id_seq_pk" PRIMARY KEY("vm_id","seq")
);
--> statement-breakpoint
CREATE TABLE "listening_spans" (
	"from_at" timestamp with time zone PRIMARY KEY NOT NULL,
	"until_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vm_agents" (
	"vm_id" uuid PRIMARY KEY NOT NULL,
	"last_heartbeat_at" timestamp with time zone NOT NULL,
	"agent_at" timestamp with time zone,
	"agent_version" text,
	"cpu_percent" double precision,
	"ram_percent" double precision,
	"disk_percent" double precision,
	"uptime_seconds" double precision
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE TABLE "vm_metrics" (
	"vm_id" uuid NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"backfilled" boolean NOT NULL,
	"cpu_percent" double precision,
	"ram_percent" double precision,
	"disk_percent" double precision,
	"uptime_seconds" double precision,
	CONSTRAINT "vm_metrics_vm_id_at_pk" PRIMARY KEY("vm_id","at")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "vm_status" (
	"vm_id" uuid PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"reasons" jsonb NOT NULL,
	"consecutive_failures" integer NOT NULL,
	"consecutive_successes" integer NOT NULL,
	"last_check_at" timestamp with time zone,
	"last_healthy_at" timestamp with time zone,
	"last_unhealthy_at" timestamp with time zone,
	"last_look_at" timestamp with time zone,
	"transition_seq" integer NOT NULL,
	"look_seq" bigint NOT NULL
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE TABLE "vms" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"address" text,
	"external_id" text,
	"site" text NOT NULL,
	"host" text,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"provider" jsonb NOT NULL,
	"provider_key" text,
	"report_interval_seconds" integer NOT NULL,
	"stopped_on_purpose_at" timestamp with time zone,
	"watcher" text DEFAULT 'care' NOT NULL,
	"watch_epoch" integer DEFAULT 1 NOT NULL,
	"settings_version" integer DEFAULT 1 NOT NULL,
	"announced_version" integer DEFAULT 0 NOT NULL,
	"attempts_reset_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone
);
--> statement-breakpoint
-- The rest is written by hand: what drizzle-kit's schema can't say.
CREATE UNIQUE INDEX "vms_external_id_once" ON "vms" ("tenant_id", "external_id") WHERE "deleted_at" IS NULL AND "external_id" IS NOT NULL;
--> statement-breakpoint
CREATE UNIQUE INDEX "vms_provider_key_once" ON "vms" ("provider_key") WHERE "deleted_at" IS NULL AND "provider_key" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "vms_by_tenant" ON "vms" ("tenant_id", "id") WHERE "deleted_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "vms_not_announced" ON "vms" ("updated_at") WHERE "announced_version" < "settings_version";
--> statement-breakpoint
CREATE UNIQUE INDEX "check_configs_once" ON "check_configs" ("vm_id", "check_type", "name");
--> statement-breakpoint
CREATE INDEX "check_state_by_vm" ON "check_state" ("vm_id");
--> statement-breakpoint
CREATE INDEX "check_results_by_vm" ON "check_results" ("vm_id", "due_at" DESC);
--> statement-breakpoint
CREATE INDEX "policies_by_tenant" ON "policies" ("tenant_id");
--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_one_open" ON "incidents" ("vm_id") WHERE "closed_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "heal_events_by_vm" ON "heal_events" ("vm_id", "triggered_at" DESC);
--> statement-breakpoint
CREATE INDEX "operations_by_incident" ON "operations" ("vm_id", "incident");
--> statement-breakpoint
CREATE INDEX "audit_log_by_tenant" ON "audit_log" ("tenant_id", "at" DESC);
--> statement-breakpoint
CREATE INDEX "api_tokens_by_vm" ON "api_tokens" ("vm_id") WHERE "vm_id" IS NOT NULL;
--> statement-breakpoint
INSERT INTO "tenants" ("id", "name", "created_at") VALUES ('default', 'Default', now());
