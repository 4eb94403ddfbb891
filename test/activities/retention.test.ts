import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { applyRetention } from '../../activities/retention.ts';
import { incidents, operations } from '../../db/schema/heals.ts';
import { ensurePartition } from '../../db/upkeep/partitions.ts';
import { DAY, NOON, registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { settingsOf } from '../support/settings.ts';

it('keeps results 30 days, heal history 90 days, and open incidents as long as they are open', async () => {
  const { database, close } = await openTestDatabase();
  const { vmId } = await registerVm(database);
  for (const age of [32, 31, 30, 29]) await ensurePartition(database.pool, 'check_results', NOON - age * DAY);
  const operation = (id: string, ageDays: number, incident = 1): typeof operations.$inferInsert => ({
    id,
    vmId,
    tenantId: 'default',
    incident,
    attempt: 1,
    action: 'restart',
    power: 'reset',
    escalation: false,
    state: 'done',
    verifyMs: 60_000,
    reason: '3 consecutive failures',
    result: 'success',
    previousStatus: 'unhealthy',
    intendedAt: new Date(NOON - ageDays * DAY),
  });
  await database.orm
    .insert(operations)
    .values([operation('old', 91), operation('kept', 89), operation('of-an-open-incident', 91, 2)]);
  const opened = { vmId, tenantId: 'default', openedAt: new Date(NOON - 100 * DAY) };
  await database.orm.insert(incidents).values([
    { ...opened, incident: 1, closedAt: new Date(NOON - 99 * DAY), outcome: 'recovered' },
    { ...opened, incident: 2 },
  ]);

  const over = `INSERT INTO rate_limits VALUES ('over', 1, ${NOON - 1}), ('counts', 1, ${NOON + 1})`;
  await database.pool.query(over);
  const deps = {
    database,
    settings: settingsOf({ RESULT_RETENTION_DAYS: '30', HEAL_RETENTION_DAYS: '90' }),
    log: pino({ level: 'silent' }),
    now: () => NOON,
  } as unknown as Dependencies;
  expect(await applyRetention(deps)).toEqual({ line: 'dropped 2 days of results and metrics, 1 heal events' });
  expect(await applyRetention(deps)).toEqual({ line: 'dropped 0 days of results and metrics, 0 heal events' });

  expect((await database.pool.query('SELECT key FROM rate_limits')).rows).toEqual([{ key: 'counts' }]);

  const partitions = await database.pool.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relname LIKE 'check_results_2026%' AND relkind = 'r' ORDER BY 1",
  );
  const days = partitions.rows.map((row) => row.name.slice('check_results_'.length));
  // 30 and 29 days ago, yesterday, today and the seven days to come
  expect(days).toEqual(
    [30, 29, 1, 0, -1, -2, -3, -4, -5, -6, -7].map((age) =>
      new Date(NOON - age * DAY).toISOString().slice(0, 10).replaceAll('-', ''),
    ),
  );
  expect((await database.orm.select().from(operations)).map((row) => row.id).toSorted()).toEqual([
    'kept',
    'of-an-open-incident',
  ]);
  expect((await database.orm.select().from(incidents)).map((row) => row.incident)).toEqual([2]);
  await close();
});
