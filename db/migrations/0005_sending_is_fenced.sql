ALTER TABLE "incidents" ADD COLUMN "power_state" text;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "power_state_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "fence" jsonb;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "policy_revision" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "paused_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "paused_reason" text;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "paused_by" text;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "keep_running" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- The database's clock, for what several processes must agree on. Tests in virtual time put theirs into system_config.
CREATE FUNCTION defib_now() RETURNS timestamp with time zone LANGUAGE sql VOLATILE AS $$
  SELECT coalesce((SELECT to_timestamp((value #>> '{}')::float8 / 1000) FROM system_config WHERE key = 'test.now-ms'), clock_timestamp())
$$;
