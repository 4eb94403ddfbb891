-- `local` is the machine that Defib runs on, once; what else was registered so has no hypervisor that Defib knows
UPDATE "vms" SET "provider_key" = 'local' WHERE "id" = (
  SELECT "id" FROM "vms" WHERE "provider"->>'kind' = 'local' AND "deleted_at" IS NULL
    AND ("address" LIKE '127.%' OR "address" IN ('localhost', '::1'))
  ORDER BY "created_at", "id" LIMIT 1);--> statement-breakpoint
UPDATE "vms" SET "provider" = '{"kind": "none"}' WHERE "provider"->>'kind' = 'local' AND "provider_key" IS NULL;
