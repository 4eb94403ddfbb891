ALTER TABLE "incidents" ADD COLUMN "power_state_before" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "cause" text DEFAULT 'unresponsive' NOT NULL;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "presumed" boolean DEFAULT false NOT NULL;