ALTER TABLE "check_configs" ADD COLUMN "aimed_by" text DEFAULT 'USER' NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "check_targets" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
-- An existing check counts as an administrator's where all that the audit log has of its making and of its VM's changes is by
-- tokens of administrators.
WITH changes AS (
  SELECT c.id AS check_id, t.role
  FROM check_configs c
  JOIN audit_log a ON a.vm_id = c.vm_id AND (a.action IN ('vm_created', 'vm_updated')
    OR (a.action = 'health_check_configured' AND a.details->>'checkType' = c.check_type
      AND coalesce(a.details->>'name', '') = c.name))
  LEFT JOIN api_tokens t ON a.actor LIKE '%(token ' || t.id || ')'
), judged AS (
  SELECT check_id, bool_and(coalesce(role IN ('ADMIN', 'OPERATOR'), false)) AS by_admin FROM changes GROUP BY check_id
)
UPDATE check_configs c SET aimed_by = 'ADMIN' FROM judged WHERE judged.check_id = c.id AND judged.by_admin;
