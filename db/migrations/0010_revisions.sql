ALTER TABLE "check_configs" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;