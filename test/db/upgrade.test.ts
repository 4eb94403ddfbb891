import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../db/migrate.ts';
import { createTestDatabase, query, type TestDatabase } from '../support/postgres.ts';

const MIGRATIONS = new URL('../../db/migrations', import.meta.url).pathname;
const VM = '01a00000-0000-7000-8000-000000000001';

let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await createTestDatabase('template0');
  folder = mkdtempSync(join(tmpdir(), 'defib-migrations-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

/** Brings the database to the state of a version with this many migrations. */
async function migrateTo(count: number): Promise<void> {
  cpSync(MIGRATIONS, folder, { recursive: true });
  const file = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as { entries: object[] };
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  await migrate(database.url, folder);
}

const sql = (text: string) => query<Record<string, unknown>>(database.url, text);

describe('upgrading a database of 0.1', () => {
  beforeEach(async () => {
    await migrateTo(1);
    await sql(`INSERT INTO vms (id, tenant_id, name, site, provider, report_interval_seconds, created_at, updated_at)
      VALUES ('${VM}', 'default', 'web', 'main', '{"kind":"local"}', 60, now(), now())`);
    await sql(`INSERT INTO operations (id, vm_id, incident, attempt, action, power, escalation, state, detail, verify_ms,
        intended_at, sent_at, ended_at)
      VALUES ('a', '${VM}', 1, 1, 'restart', 'reset', false, 'done', 'announced', 60000, '2026-11-01Z', '2026-11-01Z', '2026-11-01Z'),
             ('no-event', '${VM}', 1, 2, 'restart', 'reset', false, 'abandoned', 'refused', 0, '2026-11-02Z', NULL, '2026-11-02Z')`);
    await sql(`INSERT INTO heal_events (id, vm_id, tenant_id, incident, policy_id, operation_id, action, reason, result,
        error_message, previous_status, new_status, triggered_at, completed_at)
      VALUES (41, '${VM}', 'default', 1, NULL, 'a', 'restart', '3 consecutive failures', 'failed', 'still ill', 'unhealthy',
          'restarting', '2026-11-01Z', '2026-11-01T00:02:00Z'),
        (42, '${VM}', 'default', 2, NULL, 'no-operation', 'escalate', 'Escalation after max attempts', 'success', NULL,
          'unhealthy', NULL, '2026-11-03Z', '2026-11-03Z')`);
    await sql(`INSERT INTO heal_steps (vm_id, incident, step, kind, reason, decision, guards, facts, decided_at, last_seen_at, count)
      VALUES ('${VM}', 1, 1, 'stop', 'recovered', '{"kind":"stop","reason":"recovered"}', '[]', '{}', now(), now(), 1)`);
    await sql(
      `CREATE TABLE check_results_20261122 PARTITION OF check_results FOR VALUES FROM ('2026-11-22Z') TO ('2026-11-23Z')`,
    );
    await sql(`INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, error_message)
      VALUES ('${VM}', '${VM}', '2026-11-22Z', '2026-11-22Z', 'http', 'unhealthy', 'http-status', 'HTTP 503')`);
    await sql(`INSERT INTO check_configs (id, vm_id, check_type, name, interval_seconds, failure_threshold, success_threshold,
        options, enabled, created_at, updated_at)
      SELECT ('01a00000-0000-7000-8000-00000000000' || n)::uuid, '${VM}', kind, name, 60, 3, 1, '{}', true, now(), now()
      FROM (VALUES (2, 'http', ''), (3, 'http', 'never'), (4, 'agent', '')) AS c(n, kind, name)`);
    await sql(`INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, last_healthy_at, reason, seq)
      SELECT id, vm_id, 'unhealthy', 9, 0, CASE WHEN check_type = 'http' AND name = '' THEN timestamptz '2026-11-20Z' END,
        'timeout', 1 FROM check_configs`);
    await sql(`INSERT INTO vm_agents (vm_id, last_heartbeat_at) VALUES ('${VM}', '2026-11-21Z')`);
    await sql(`INSERT INTO vm_status (vm_id, status, reasons, consecutive_failures, consecutive_successes, last_check_at,
        transition_seq, look_seq) VALUES ('${VM}', 'unhealthy', '[]', 9, 0, now(), 1, 1)`);
    await sql(`INSERT INTO api_tokens (id, tenant_id, role, name, token_hash, created_at)
      SELECT ('01a00000-0000-7000-8000-00000000001' || n)::uuid, 'default', role, role, role, now()
      FROM (VALUES (1, 'ADMIN'), (2, 'USER')) AS t(n, role)`);
    await sql(`INSERT INTO audit_log (tenant_id, at, actor, action, vm_id, details)
      SELECT 'default', now(), role || ' (token ' || t.id || ')', action, '${VM}', details::jsonb
      FROM (VALUES ('ADMIN', 'vm_created', '{}'), ('ADMIN', 'health_check_configured', '{"checkType":"http","name":""}'),
          ('ADMIN', 'health_check_configured', '{"checkType":"http","name":"never"}'),
          ('USER', 'health_check_configured', '{"checkType":"http","name":"never"}'))
        AS a(by, action, details) JOIN api_tokens t ON t.role = a.by`);
    // one that a user changed, one that a user made, one that nobody with a token made
    for (const [n, changes] of [
      [
        7,
        [
          ['ADMIN', 'vm_created'],
          ['USER', 'vm_updated'],
        ],
      ],
      [
        8,
        [
          ['USER', 'vm_created'],
          ['ADMIN', 'vm_updated'],
        ],
      ],
      [
        9,
        [
          [null, 'vm_created'],
          ['ADMIN', 'vm_updated'],
        ],
      ],
    ] as const) {
      const id = `01a00000-0000-7000-8000-00000000002${n}`;
      await sql(`INSERT INTO vms (id, tenant_id, name, site, provider, report_interval_seconds, created_at, updated_at)
        VALUES ('${id}', 'default', 'of ${n}', 'main', '{"kind":"local"}', 60, now(), now())`);
      await sql(`INSERT INTO check_configs (id, vm_id, check_type, name, interval_seconds, failure_threshold, success_threshold,
          options, enabled, created_at, updated_at)
        VALUES (gen_random_uuid(), '${id}', 'tcp', 'of ${n}', 60, 3, 1, '{}', true, now(), now())`);
      for (const [role, action] of changes) {
        await sql(`INSERT INTO audit_log (tenant_id, at, actor, action, vm_id, details)
          SELECT 'default', now(), coalesce((SELECT role || ' (token ' || id || ')' FROM api_tokens WHERE role = '${role}'),
            'setup'), '${action}', '${id}', '{}'`);
      }
    }
    await migrate(database.url);
  });

  it('takes a check for an administrator’s where nobody else has set it, its VM or its address', async () => {
    const set = 'SELECT check_type, name, aimed_by FROM check_configs ORDER BY check_type, name';
    expect(await sql(set)).toEqual([
      { check_type: 'agent', name: '', aimed_by: 'ADMIN' },
      { check_type: 'http', name: '', aimed_by: 'ADMIN' },
      { check_type: 'http', name: 'never', aimed_by: 'USER' },
      { check_type: 'tcp', name: 'of 7', aimed_by: 'USER' },
      { check_type: 'tcp', name: 'of 8', aimed_by: 'USER' },
      { check_type: 'tcp', name: 'of 9', aimed_by: 'USER' },
    ]);
  });

  it('takes a check that has been healthy for proven, and an agent that was heard', async () => {
    const rows =
      await sql(`SELECT c.check_type, c.name, st.proven_at FROM check_state st JOIN check_configs c ON c.id = st.check_id
      ORDER BY c.check_type, c.name`);
    expect(rows).toEqual([
      { check_type: 'agent', name: '', proven_at: new Date('2026-11-21Z') },
      { check_type: 'http', name: '', proven_at: new Date('2026-11-20Z') },
      { check_type: 'http', name: 'never', proven_at: null },
    ]);
  });

  it('lets what its workers concluded hold for a while, as they may still look', async () => {
    expect(await sql("SELECT conclusive_until > now() + interval '23 hours' AS holds FROM vm_status")).toEqual([
      { holds: true },
    ]);
  });

  it('keeps the messages of results under their new name, in the partitions that are there', async () => {
    for (const table of ['check_results', 'check_results_20261122']) {
      expect(await sql(`SELECT message FROM ${table}`)).toEqual([{ message: 'HTTP 503' }]);
    }
  });

  it('joins each heal event to its operation, under its old number', async () => {
    const rows =
      await sql(`SELECT id, event_id::int, reason, result, error_message, previous_status, judged_at IS NOT NULL AS judged
      FROM operations WHERE event_id > 0 ORDER BY event_id`);
    expect(rows).toEqual([
      {
        id: 'a',
        event_id: 41,
        reason: '3 consecutive failures',
        result: 'failed',
        error_message: 'still ill',
        previous_status: 'unhealthy',
        judged: true,
      },
      {
        id: 'no-operation',
        event_id: 42,
        reason: 'Escalation after max attempts',
        result: 'success',
        error_message: null,
        previous_status: 'unhealthy',
        judged: true,
      },
    ]);
  });

  it('keeps an operation whose event is gone, and numbers new ones after the old', async () => {
    expect(
      await sql("SELECT result, tenant_id, judged_at IS NOT NULL AS judged FROM operations WHERE id = 'no-event'"),
    ).toEqual([{ result: 'failed', tenant_id: 'default', judged: true }]);
    await sql(`INSERT INTO operations (id, vm_id, tenant_id, incident, attempt, action, escalation, state, verify_ms, reason,
        result, previous_status, intended_at)
      VALUES ('new', '${VM}', 'default', 3, 1, 'restart', false, 'intended', 0, 'why', 'pending', 'unhealthy', now())`);
    expect(await sql("SELECT event_id::int FROM operations WHERE id = 'new'")).toEqual([{ event_id: 43 }]);
  });

  it('calls the end of a heal close', async () => {
    expect(await sql('SELECT kind, decision FROM heal_steps')).toEqual([
      { kind: 'close', decision: { kind: 'close', reason: 'recovered' } },
    ]);
  });
});

describe('upgrading a database in which any machine could be `local`, and policies had one name', () => {
  const id = (n: number) => `01a00000-0000-7000-8000-00000000003${n}`;

  it('keeps this machine, once; the others have no hypervisor. Later namesakes are told apart by their id', async () => {
    await migrateTo(12);
    const add = (n: number, address: string | null, more = 'NULL') =>
      sql(`INSERT INTO vms (id, tenant_id, name, site, provider, report_interval_seconds, created_at, updated_at, address, deleted_at)
        VALUES ('${id(n)}', 'default', 'n-${n}', 'main', '{"kind":"local"}', 60, now() + interval '${n} s', now(),
          ${address === null ? 'NULL' : `'${address}'`}, ${more})`);
    await add(1, '127.0.0.1', 'now()');
    await add(2, '192.0.2.1');
    await add(3, '127.0.0.1');
    await add(4, 'localhost');
    await add(5, null);
    const long = 'x'.repeat(195);
    for (const [n, name, tag] of [
      [1, 'restart', 'NULL'],
      [2, 'restart', 'NULL'],
      [3, 'restart', "'db'"],
      [4, 'restart (2)', 'NULL'],
      [5, `${long}a`, 'NULL'],
      [6, `${long}a`, 'NULL'],
      [7, `${long}b`, 'NULL'],
      [8, `${long}b`, 'NULL'],
    ] as const) {
      await sql(`INSERT INTO policies (id, tenant_id, name, enabled, trigger_after_failures, action, cooldown_minutes, max_attempts,
          attempt_window_hours, notify_on_trigger, escalation_action, verify_seconds, tag, created_at, updated_at)
        VALUES ('${id(n)}', 'default', '${name}', true, 3, 'restart', 10, 3, 24, true, 'human', 120, ${tag},
          now() + interval '${n} s', now())`);
    }
    await migrate(database.url);
    expect(await sql(`SELECT name, provider->>'kind' AS kind, provider_key FROM vms ORDER BY id`)).toEqual([
      { name: 'n-1', kind: 'none', provider_key: null },
      { name: 'n-2', kind: 'none', provider_key: null },
      { name: 'n-3', kind: 'local', provider_key: 'local' },
      { name: 'n-4', kind: 'none', provider_key: null },
      { name: 'n-5', kind: 'none', provider_key: null },
    ]);
    const names = (await sql('SELECT name FROM policies ORDER BY id')).map(({ name }) => name as string);
    expect(names).toEqual([
      'restart',
      `restart (${id(2)})`,
      'restart',
      'restart (2)',
      `${long}a`,
      `${long.slice(0, 150)} (${id(6)})`,
      `${long}b`,
      `${long.slice(0, 150)} (${id(8)})`,
    ]);
  });
});
