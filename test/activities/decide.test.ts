import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { decide } from '../../activities/heal/decide.ts';
import { recordIncident, recordIncidentClosed } from '../../db/heals/incidents.ts';
import { recordOperationEvent } from '../../db/heals/operations.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordPolicy } from '../../db/policies/policy-changes.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { policy, probeResult, traitsOf } from '../domain/examples.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

const SECOND = 1_000;
const MINUTE = 60_000;
const writer = createLookWriter(database.pool);
const { id: _id, createdAtMs: _createdAtMs, ...POLICY } = policy({ cooldownMinutes: 0 });
await recordPolicy(database, POLICY, { tenantId: 'default', actor: 'a test', nowMs: NOON });

let nowMs: number;
/** Of a worker whose provider says that every VM runs. */
const deps = {
  database,
  providers: {
    kinds: new Map([['local', { actions: new Set(['reset']) }]]),
    reach: () => ({
      ok: true,
      provider: { state: async () => ({ ok: true, state: { power: 'running', detail: 'running' } }) },
    }),
  },
  probes: new Map([['http', traitsOf('http')]]),
  settings: { DEFIB_SITE: 'main', BOOT_GRACE_SECONDS: 180, PAUSED_GRACE_SECONDS: 120 },
  log: pino({ level: 'silent' }),
  now: () => nowMs,
} as unknown as Dependencies;

/** The VM after three looks that failed, the last at noon. */
async function illVm(): Promise<WatchedVm> {
  let vm = await registerVm(database, {}, [{ trusted: true }]);
  for (const minute of [-2, -1, 0]) {
    await writer.write(lookOf(vm, resultsOf(vm, NOON + minute * MINUTE, probeResult('unhealthy'))));
    vm = await readVm(database.pool, vm.vmId);
  }
  return vm;
}

beforeEach(async () => {
  nowMs = NOON + SECOND;
  await setDatabaseTime(database.pool, nowMs);
});

describe('a new incident of a VM that was reset in the one before', () => {
  it('is not decided by what failed before that', async () => {
    const { vmId } = await illVm();
    const operation = await intendedReset(database, vmId);
    const done = { kind: 'done', detail: 'reset', conclusive: false, presumed: false } as const;
    await database.orm.transaction((tx) => recordOperationEvent(tx, operation.id, done, NOON + 10 * SECOND));
    await recordIncidentClosed(database.orm, vmId, operation.incident, 'heal-lost', NOON + 20 * SECOND);
    nowMs = NOON + 30 * SECOND;
    const incident = (await recordIncident(database, vmId, nowMs))!;
    expect(await decide(deps, { vmId, incident })).toMatchObject({ kind: 'hold', reason: 'failures-old' });
  });
});
