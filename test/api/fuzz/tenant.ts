import { randomUUID } from 'node:crypto';
import { recordNotices } from '../../../db/notices/notices.ts';
import type { Role } from '../../../domain/roles.ts';
import { type ApiUnderTest, OPERATOR_TOKEN, tenantToken } from '../api-under-test.ts';
import type { Kind } from './references.ts';

/** A tenant, and what it has that requests may name. */
export interface FuzzTenant {
  id: string;
  /** Is part of every text that it stores, and of no other tenant's. */
  mark: string;
  tokens: Record<Role, string>;
  things: Record<Kind, string[]>;
}

/** Of each there are at least as many as this for requests to name. */
const STOCK = { vm: 4, policy: 2, token: 2 };

/** A tenant with VMs, checks, policies, tokens, a provider, results, measurements, an incident, an operation and a notice. */
export async function stockedTenant(api: ApiUnderTest, id: string): Promise<FuzzTenant> {
  const mark = `of-${id}`;
  const tokenOf = (role: Role) => tenantToken(api, id, role);
  const [USER, ADMIN] = [await tokenOf('USER'), await tokenOf('ADMIN')];
  const things = { vm: [], externalId: [], policy: [], token: [], provider: [], tenant: [], check: [], mark: [mark] };
  const tenant: FuzzTenant = { id, mark, tokens: { USER, ADMIN, AGENT: '', OPERATOR: OPERATOR_TOKEN }, things };
  await restock(api, tenant);
  // the agent's own VM is named by no request, so that its token stays
  tenant.tokens.AGENT = (await made(api, tenant, '/api/vms', aVm(tenant, `${mark} agent`))).agentToken;
  await addProvider(api, tenant);
  // operators change only one that nobody uses, or its checks would be refused
  const changed = await api.call(
    'POST',
    '/api/tenants',
    { id: `${id}-changed`, name: mark },
    { token: OPERATOR_TOKEN },
  );
  tenant.things.tenant.push(changed.body.id);
  await addHistory(api, tenant);
  return tenant;
}

/** Forgets what was deleted or revoked, and makes others in its place. */
export async function restock(api: ApiUnderTest, tenant: FuzzTenant): Promise<void> {
  const { things, mark, id } = tenant;
  const { rows } = await api.sql(
    `SELECT id FROM vms WHERE deleted_at IS NULL AND tenant_id = $1 UNION ALL SELECT id FROM policies WHERE tenant_id = $1
     UNION ALL SELECT id FROM api_tokens WHERE revoked_at IS NULL AND tenant_id = $1`,
    [id],
  );
  const left = new Set(rows.map((row) => row.id));
  for (const kind of ['vm', 'policy', 'token'] as const) things[kind] = things[kind].filter((one) => left.has(one));
  while (things.vm.length < STOCK.vm) {
    const externalId = `${mark} ${randomUUID()}`;
    const vm = await made(api, tenant, '/api/vms', aVm(tenant, externalId));
    things.vm.push(vm.id);
    things.externalId.push(externalId);
    things.check.push(...vm.checks.map((check: { id: string }) => check.id));
  }
  while (things.policy.length < STOCK.policy) {
    things.policy.push(
      (
        await made(api, tenant, '/api/vms/auto-heal/policies', {
          name: `${mark} policy ${randomUUID()}`,
          action: 'human',
        })
      ).id,
    );
  }
  while (things.token.length < STOCK.token) {
    things.token.push((await made(api, tenant, '/api/tokens', { name: `${mark} token`, role: 'USER' })).id);
  }
}

function aVm({ mark }: FuzzTenant, externalId: string) {
  const checks = [{ checkType: 'ping' }, { checkType: 'tcp', target: 22 }];
  return {
    name: `${mark} vm`,
    externalId,
    address: '192.0.2.10',
    tags: [mark, 'prod'],
    provider: { kind: 'none' },
    checks,
  };
}

async function made(api: ApiUnderTest, { tokens }: FuzzTenant, path: string, body: unknown) {
  const reply = await api.call('POST', path, body, { token: tokens.ADMIN });
  if (reply.status !== 201) throw new Error(`${path} made nothing: ${reply.text}`);
  return reply.body;
}

/** Only operators add providers over the API, and those of their own tenant. */
async function addProvider({ sql }: ApiUnderTest, { id, mark, things }: FuzzTenant): Promise<void> {
  const provider = randomUUID();
  await sql(
    `INSERT INTO provider_instances (id, tenant_id, kind, name, site, config, created_at, updated_at)
     VALUES ($1, $2, 'qemu', $3, 'main', '{}', now(), now())`,
    [provider, id, `${mark} provider`],
  );
  things.provider.push(provider, `${mark} provider`);
}

/** What looks, agents and heals leave behind. */
async function addHistory({ sql, database, nowMs }: ApiUnderTest, { id, mark, things }: FuzzTenant): Promise<void> {
  const [vmId, checkId] = [things.vm[0], things.check[0]];
  const ago = (minutes: number) => new Date(nowMs - minutes * 60_000);
  for (let minutes = 1; minutes <= 20; minutes++) {
    await sql(
      `INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, latency_ms, message)
       VALUES ($1, $2, $3, $3, 'ping', 'healthy', 'ok', 3, $4)`,
      [vmId, checkId, ago(minutes), mark],
    );
    await sql('INSERT INTO vm_metrics (vm_id, at, backfilled, cpu_percent) VALUES ($1, $2, false, 40)', [
      vmId,
      ago(minutes),
    ]);
  }
  await sql(
    `INSERT INTO incidents (vm_id, incident, tenant_id, opened_at, closed_at, outcome) VALUES ($1, 1, $2, $3, $4, 'recovered')`,
    [vmId, id, ago(9), ago(8)],
  );
  await sql(
    `INSERT INTO heal_steps (vm_id, incident, step, kind, reason, decision, guards, facts, decided_at, last_seen_at, count)
     VALUES ($1, 1, 1, 'hold', $2, '{}', '[]', '{}', $3, $3, 1)`,
    [vmId, mark, ago(9)],
  );
  await sql(
    `INSERT INTO operations (id, vm_id, tenant_id, incident, attempt, action, power, escalation, state, cause, verify_ms,
       reason, result, previous_status, intended_at)
     VALUES ($1, $2, $3, 1, 1, 'restart', 'reset', false, 'done', 'unresponsive', 0, $4, 'success', 'unhealthy', $5)`,
    [`${vmId}/1/restart/1`, vmId, id, mark, ago(9)],
  );
  const about = { kind: 'test', subject: mark, tenantId: id, vmId: vmId ?? null, message: mark };
  await recordNotices(database.orm, [about], nowMs);
}
