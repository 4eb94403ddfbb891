CREATE INDEX "incidents_by_tenant" ON "incidents" ("tenant_id", "opened_at" DESC, "vm_id" DESC, "incident" DESC);--> statement-breakpoint
CREATE INDEX "audit_log_newest_first" ON "audit_log" ("tenant_id", "id" DESC);
