import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { carryOut } from '../../activities/heal/carry-out.ts';
import { readBack } from '../../activities/heal/read-back.ts';
import { resolveOperation } from '../../activities/heal/resolve-operation.ts';
import { findAttempts, findOperation, type NewOperation, type OperationRow } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import type { PowerOutcome } from '../../providers/provider.ts';
import { holdRow } from '../db/held-row.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON, readVm, registerVm } from '../db/watched.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { url, database, close } = await openTestDatabase(NOON);
afterAll(close);

const NOW = NOON + 1_000;
let outcome: PowerOutcome;
let sent: string[];
let logged: { level: number; msg: string; [field: string]: unknown }[];
let operation: OperationRow;

/** Of a worker whose hypervisor answers as the test says. */
const deps = {
  database,
  providers: {
    kinds: new Map(),
    reach: () => ({
      ok: true,
      provider: {
        prepare: async (_reference: unknown, action: string) => ({
          ok: true,
          prepared: {
            state: { power: 'running', detail: 'running' },
            send: async () => {
              sent.push(action);
              return outcome;
            },
            release: () => undefined,
          },
        }),
      },
    }),
  },
  settings: { DEFIB_SITE: 'main' },
  log: pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  now: () => NOW,
} as unknown as Dependencies;

beforeEach(async () => {
  outcome = { outcome: 'done', detail: 'done by the fake' };
  sent = [];
  logged = [];
  await setDatabaseTime(database.pool, NOW);
});

async function intend(given: Partial<NewOperation> = {}): Promise<void> {
  operation = await intendedReset(database, (await registerVm(database)).vmId, given);
}

const stored = async () => (await findOperation(database.orm, operation.id))!;
const attempts = async () => (await findAttempts(database.orm, operation.vmId, 0)).length;
const vm = () => readVm(database.pool, operation.vmId);
const move = () => moveToSent(database, operation, 'running');

describe('people who are to be notified', () => {
  beforeEach(() => intend({ action: 'notify_only', power: null, verifyMs: 0 }));

  it('are, by a success in the heal’s history and a line in the log, and nothing is sent', async () => {
    expect(await carryOut(deps, operation.id)).toEqual({ state: 'done', detail: 'recorded for people to act on' });
    expect(await stored()).toMatchObject({ state: 'done', result: 'success', judgedAt: new Date(NOW) });
    expect(logged).toMatchObject([
      { msg: 'a VM needs a person', operationId: operation.id, vmId: operation.vmId, level: 40 },
    ]);
    expect(sent).toEqual([]);
  });

  it('are notified once', async () => {
    await carryOut(deps, operation.id);
    expect(await carryOut(deps, operation.id)).toEqual({ state: 'sent', detail: 'it had ended already' });
  });
});

describe('an action that was sent', () => {
  it('is told in the log, with what came of it', async () => {
    await intend();
    await carryOut(deps, operation.id);
    expect(logged).toMatchObject([{ msg: 'power action answered', operationId: operation.id, outcome: 'done' }]);
  });

  it('was no attempt when the hypervisor says that it refused it', async () => {
    outcome = { outcome: 'not-sent', reason: 'refused', message: 'the VM is being migrated' };
    await intend();
    expect(await carryOut(deps, operation.id)).toEqual({ state: 'abandoned', detail: 'the VM is being migrated' });
    expect(await stored()).toMatchObject({ state: 'abandoned', result: 'failed' });
    expect(await attempts()).toBe(0);
  });

  it('is not sent again, and says so', async () => {
    await intend();
    await move();
    expect(await carryOut(deps, operation.id)).toEqual({
      state: 'sent',
      detail: 'it was sent already, or has ended',
    });
    expect(sent).toEqual([]);
  });
});

it('an operation whose locks are not had within a second is not sent, and is over', async () => {
  await intend();
  const held = await holdRow(url, operation.vmId);
  const detail = 'not sent: others hold locks on what is to be changed in the database';
  expect(await carryOut(deps, operation.id)).toEqual({ state: 'abandoned', detail });
  await held.release();
  expect(await stored()).toMatchObject({ state: 'abandoned', result: 'failed', detail, sentAt: null });
  expect(sent).toEqual([]);
});

describe('an operation that is not there', () => {
  const none = { state: 'abandoned', detail: 'no such operation' };

  it('is neither sent nor resolved nor read back', async () => {
    expect(await carryOut(deps, 'unheard of')).toEqual(none);
    expect(await resolveOperation(deps, 'unheard of')).toEqual(none);
    expect(await readBack(deps, 'unheard of')).toBeNull();
  });
});

describe('what a VM is meant to be', () => {
  it.each<[string, boolean, boolean]>([
    ['stop', true, false],
    ['shutdown', true, false],
    ['start', false, true],
    ['reset', false, false],
    ['resume', false, false],
  ])('follows from what was done to it: after %s stopped %s, booting %s', async (power, isStopped, isBooting) => {
    await intend({ action: power, power: power as NewOperation['power'] });
    await carryOut(deps, operation.id);
    expect(await vm()).toMatchObject({
      stoppedOnPurpose: isStopped,
      startedAtMs: isBooting ? NOW : null,
    });
  });

  it('is to boot when it may have been started, and to be watched when it may have been stopped', async () => {
    await intend({ action: 'start', power: 'start' });
    await move();
    await resolveOperation(deps, operation.id);
    expect(await vm()).toMatchObject({ startedAtMs: NOW });
    await intend({ action: 'stop', power: 'stop' });
    await move();
    await resolveOperation(deps, operation.id);
    expect(await vm()).toMatchObject({ stoppedOnPurpose: false });
  });

  it('stays as it was when nothing was sent', async () => {
    outcome = { outcome: 'not-sent', reason: 'refused', message: 'busy' };
    for (const power of ['stop', 'start'] as const) {
      await intend({ action: power, power });
      await carryOut(deps, operation.id);
      expect(await vm()).toMatchObject({ stoppedOnPurpose: false, startedAtMs: null });
    }
  });
});

describe('an operation that is resolved', () => {
  beforeEach(() => intend());

  it('was never sent while it is intended, because its worker was lost or for a better reason', async () => {
    const detail = 'never sent: its worker was lost before';
    expect(await resolveOperation(deps, operation.id)).toEqual({ state: 'abandoned', detail });
    expect(await stored()).toMatchObject({ state: 'abandoned', result: 'failed', detail });
    await intend();
    const better = 'never sent: its heal was lost';
    expect(await resolveOperation(deps, operation.id, { whyNotSent: better })).toMatchObject({ detail: better });
  });

  it('stays as it ended when it is resolved again', async () => {
    await resolveOperation(deps, operation.id, { whyNotSent: 'never sent' });
    expect(await resolveOperation(deps, operation.id)).toEqual({ state: 'abandoned', detail: 'never sent' });
    await intend();
    await move();
    const presumed = 'perhaps carried out (nothing to read back at the hypervisor): looks judge it';
    expect(await resolveOperation(deps, operation.id)).toEqual({ state: 'done', detail: presumed });
    expect(await resolveOperation(deps, operation.id)).toEqual({ state: 'done', detail: presumed });
    expect(await stored()).toMatchObject({ state: 'done', presumed: true, result: 'pending' });
  });

  it('was no attempt after all when its sender says so after it was presumed to be done', async () => {
    await move();
    await resolveOperation(deps, operation.id);
    expect(await attempts()).toBe(1);
    const end = { state: 'abandoned', detail: 'not sent: too late' } as const;
    expect(await resolveOperation(deps, operation.id, { end })).toEqual(end);
    expect(await attempts()).toBe(0);
  });
});

describe('an operation that is read back', () => {
  it('is asked about again as soon as nothing can be sent any more', async () => {
    await intend();
    await move();
    await setDatabaseTime(database.pool, NOW + 500);
    await expect(readBack(deps, operation.id)).rejects.toMatchObject({ nextRetryDelay: 2_500 });
  });

  it('is none when it only notified people', async () => {
    await intend({ action: 'notify_only', power: null });
    await database.pool.query(`UPDATE operations SET state = 'sent', sent_at = $2 WHERE id = $1`, [
      operation.id,
      new Date(NOON - 60_000),
    ]);
    expect(await readBack(deps, operation.id)).toBeNull();
  });
});
