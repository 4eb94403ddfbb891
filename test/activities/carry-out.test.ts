import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { carryOut } from '../../activities/heal/carry-out.ts';
import { readBack } from '../../activities/heal/read-back.ts';
import { resolveOperation } from '../../activities/heal/resolve-operation.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { findAttempts, findOperation, type OperationRow } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { LIMITS } from '../../db/limits.ts';
import type { PowerState, ReadBack } from '../../domain/power.ts';
import { until } from '../../local/until.ts';
import type { PowerOutcome, Provider, ProviderTrouble } from '../../providers/provider.ts';
import { breakableLink } from '../db/breakable-link.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { openTestDatabase } from '../support/postgres.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

/** A hypervisor that counts the actions that reach it. */
class FakeHypervisor {
  sent: string[] = [];
  released = 0;
  power: PowerState = 'running';
  trouble: ProviderTrouble | null = null;
  outcome: PowerOutcome = { outcome: 'done', detail: 'done by the fake' };
  told: ReadBack = { verdict: 'cannot-tell', detail: 'a reset leaves no trace' };

  readonly provider = {
    prepare: async (_reference: unknown, action: string) => {
      if (this.trouble !== null) return this.trouble;
      return {
        ok: true,
        prepared: {
          state: { power: this.power, detail: this.power },
          send: async () => {
            this.sent.push(action);
            return this.outcome;
          },
          release: () => {
            this.released++;
          },
        },
      };
    },
    readBack: async () => this.told,
  } as unknown as Provider;
}

let hypervisor: FakeHypervisor;
let operation: OperationRow;
beforeEach(async () => {
  hypervisor = new FakeHypervisor();
  await setDatabaseTime(database.pool, NOON + 1_000);
  operation = await intendedReset(database, (await registerVm(database)).vmId);
});

/** A worker of site main, with connections of its own to Postgres. */
const workerOn = (own: Database): Dependencies =>
  ({
    database: own,
    providers: { kinds: new Map(), reach: () => ({ ok: true, provider: hypervisor.provider }) },
    settings: { DEFIB_SITE: 'main' },
    log: pino({ level: 'silent' }),
    now: () => NOON + 1_000,
  }) as unknown as Dependencies;
const worker = workerOn(database);
const stored = async () => (await findOperation(database.orm, operation.id))!;
const attempts = async () => (await findAttempts(database.orm, operation.vmId, 0)).length;

describe('an operation that is wanted', () => {
  it('is sent once, and recorded', async () => {
    expect(await carryOut(worker, operation.id)).toEqual({ state: 'done', detail: 'done by the fake' });
    expect(await stored()).toMatchObject({ state: 'done', presumed: false, result: 'pending' });
    expect(await carryOut(worker, operation.id)).toMatchObject({ state: 'sent' });
    expect([hypervisor.sent, hypervisor.released]).toEqual([['reset'], 2]);
  });

  it('stays sent when the hypervisor may or may not have acted', async () => {
    hypervisor.outcome = { outcome: 'in-doubt', message: 'the connection was lost' };
    expect(await carryOut(worker, operation.id)).toEqual({ state: 'sent', detail: 'the connection was lost' });
    expect(await stored()).toMatchObject({ state: 'sent' });
  });

  it('is not sent, and no attempt, when the hypervisor can’t be reached or refuses', async () => {
    hypervisor.trouble = { ok: false, reason: 'busy', message: 'somebody holds its monitor' };
    expect(await carryOut(worker, operation.id)).toEqual({ state: 'abandoned', detail: 'somebody holds its monitor' });
    expect(await stored()).toMatchObject({ state: 'abandoned', result: 'failed', sentAt: null });
    expect(await attempts()).toBe(0);
  });

  it('is not sent from another site than its provider’s', async () => {
    const elsewhere = { ...worker, settings: { ...worker.settings, DEFIB_SITE: 'there' } };
    expect(await carryOut(elsewhere, operation.id)).toMatchObject({ state: 'abandoned' });
    expect(hypervisor.sent).toEqual([]);
  });

  it('is not sent when the VM is in another state than it was decided for', async () => {
    hypervisor.power = 'saving';
    expect(await carryOut(worker, operation.id)).toEqual({
      state: 'abandoned',
      detail: 'not sent: its hypervisor says saving now, and said running',
    });
    expect([hypervisor.sent, hypervisor.released]).toEqual([[], 1]);
  });
});

describe('a worker that does not hear that it may send', () => {
  /** Carries the operation out over a link that passes the commit of the move to Postgres, but no answer back. */
  async function unanswered(answerMs: number) {
    const link = await breakableLink(testDatabase.url);
    const own = openDatabase(link.url, { applicationName: 'worker', limits: { ...LIMITS.heals, answerMs } });
    let isMoving = true;
    own.pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      Object.assign(client, {
        query(...args: [string | { text: string }]) {
          const [given] = args;
          const isCommit = /^commit$/i.test(typeof given === 'string' ? given : given.text);
          if (isMoving && isCommit) link.silence('answers');
          isMoving &&= !isCommit;
          return query(...args);
        },
      });
    });
    const ending = carryOut(workerOn(own), operation.id);
    await until(async () => (await stored()).state === 'sent');
    const close = async () => {
      await own.close();
      await link.close();
    };
    return { link, ending, close };
  }

  it('sends nothing when the answer is lost, and says so once it can', async () => {
    const { link, ending, close } = await unanswered(500);
    expect(await ending).toMatchObject({ state: 'abandoned', unrecorded: true });
    link.mend();
    await until(async () => (await stored()).state === 'abandoned');
    expect(await stored()).toMatchObject({ result: 'failed', detail: expect.stringMatching(/did not confirm/) });
    expect([hypervisor.sent, await attempts()]).toEqual([[], 0]);
    await close();
  });

  it('sends nothing when the answer comes late, by the clock of the database', async () => {
    const { link, ending, close } = await unanswered(60_000);
    await setDatabaseTime(database.pool, NOON + 3_001);
    link.mend();
    expect(await ending).toMatchObject({ state: 'abandoned', detail: expect.stringMatching(/confirmed in time/) });
    expect([hypervisor.sent, await attempts()]).toEqual([[], 0]);
    await close();
  });

  it('sends when the answer comes just in time', async () => {
    const { link, ending, close } = await unanswered(60_000);
    await setDatabaseTime(database.pool, NOON + 3_000);
    link.mend();
    expect(await ending).toMatchObject({ state: 'done' });
    expect([hypervisor.sent, await attempts()]).toEqual([['reset'], 1]);
    await close();
  });

  it('takes back what was presumed to be done, even after it was judged: it was no attempt', async () => {
    const { link, ending, close } = await unanswered(60_000);
    expect(await resolveOperation(worker, operation.id)).toMatchObject({ state: 'done' });
    expect([await stored(), await attempts()]).toMatchObject([{ presumed: true }, 1]);
    link.mend();
    expect(await ending).toMatchObject({ state: 'abandoned' });
    expect(await stored()).toMatchObject({ state: 'abandoned', result: 'skipped', presumed: false });
    expect([hypervisor.sent, await attempts()]).toEqual([[], 0]);
    await close();
  });
});

describe('an operation in doubt', () => {
  beforeEach(async () => {
    await moveToSent(database, operation, 'running');
  });

  it('is not read back while it may still be written', async () => {
    await setDatabaseTime(database.pool, NOON + 3_999);
    await expect(readBack(worker, operation.id)).rejects.toThrow('it may still be sent');
    await setDatabaseTime(database.pool, NOON + 4_000);
    expect(await readBack(worker, operation.id)).toEqual(hypervisor.told);
  });

  it('is read back only at its site, and only while it is in doubt', async () => {
    await setDatabaseTime(database.pool, NOON + 4_000);
    const elsewhere = { ...worker, settings: { ...worker.settings, DEFIB_SITE: 'there' } };
    expect(await readBack(elsewhere, operation.id)).toMatchObject({ verdict: 'cannot-tell' });
    await resolveOperation(worker, operation.id);
    expect(await readBack(worker, operation.id)).toBeNull();
  });

  it.each<[ReadBack['verdict'], object]>([
    ['acted', { state: 'done', presumed: false, result: 'pending' }],
    ['not-acted', { state: 'abandoned', presumed: false, result: 'failed' }],
    ['cannot-tell', { state: 'done', presumed: true, result: 'pending' }],
  ])('ends by what the hypervisor shows: %s', async (verdict, expected) => {
    await resolveOperation(worker, operation.id, { readBack: { verdict, detail: 'so it says' } });
    expect(await stored()).toMatchObject(expected);
    expect((await stored()).detail).toContain('so it says');
  });

  it('ends by what its sender says rather than the hypervisor', async () => {
    const end = { state: 'abandoned', detail: 'not sent: too late' } as const;
    await resolveOperation(worker, operation.id, { end, readBack: { verdict: 'acted', detail: 'by somebody' } });
    expect(await stored()).toMatchObject({ state: 'abandoned', detail: 'not sent: too late' });
  });

  it('ends once', async () => {
    await resolveOperation(worker, operation.id, { readBack: { verdict: 'acted', detail: 'running' } });
    const end = { state: 'abandoned', detail: 'not sent: too late' } as const;
    expect(await resolveOperation(worker, operation.id, { end })).toMatchObject({ state: 'done' });
  });
});

describe('an operation that somebody else sends, or has sent', () => {
  beforeEach(async () => {
    await moveToSent(database, operation, 'running');
  });
  const busy = { ok: false, reason: 'busy', message: 'somebody holds its monitor' } as const;

  it('stays sent when whoever asks a second time can’t reach the hypervisor', async () => {
    hypervisor.trouble = busy;
    expect(await carryOut(worker, operation.id)).toMatchObject({ state: 'sent' });
    expect([(await stored()).state, await attempts()]).toEqual(['sent', 1]);
  });

  it('stays presumed to be done, and an attempt, when it is asked for again', async () => {
    await resolveOperation(worker, operation.id);
    hypervisor.trouble = busy;
    await carryOut(worker, operation.id);
    expect([await stored(), await attempts()]).toMatchObject([{ state: 'done', presumed: true }, 1]);
  });

  it('is not taken for unsent because no worker took it the second time', async () => {
    const end = { state: 'sent', detail: 'no worker of site main took the question', unrecorded: true } as const;
    await resolveOperation(worker, operation.id, { end });
    expect([await stored(), await attempts()]).toMatchObject([{ state: 'done', presumed: true }, 1]);
  });
});

it('an operation that was done is done, though the database has lost that it was sent', async () => {
  const end = { state: 'done', detail: 'confirmed', unrecorded: true } as const;
  await resolveOperation(worker, operation.id, { end });
  expect([await stored(), await attempts()]).toMatchObject([
    { state: 'done', presumed: false, detail: 'confirmed' },
    1,
  ]);
});

it('an operation that no worker took was never sent, in those words', async () => {
  const end = { state: 'sent', detail: 'no worker of site main took the question', unrecorded: true } as const;
  expect(await resolveOperation(worker, operation.id, { end })).toEqual({ state: 'abandoned', detail: end.detail });
  expect([await stored(), await attempts()]).toMatchObject([{ state: 'abandoned', result: 'failed' }, 0]);
});

it('a stop in doubt is a success, and stops the watching, only when the hypervisor says that the VM has stopped', async () => {
  const stop = await intendedReset(database, operation.vmId, { attempt: 2, action: 'stop', power: 'stop' });
  const stoppedAt = async () =>
    (await database.pool.query('SELECT stopped_on_purpose_at AS at FROM vms WHERE id = $1', [stop.vmId])).rows[0].at;
  await moveToSent(database, stop, 'running');
  await resolveOperation(worker, stop.id, { readBack: { verdict: 'cannot-tell', detail: 'its socket is gone' } });
  expect([await findOperation(database.orm, stop.id), await stoppedAt()]).toMatchObject([{ result: 'pending' }, null]);

  const again = await intendedReset(database, (await registerVm(database)).vmId, { action: 'stop', power: 'stop' });
  await moveToSent(database, again, 'running');
  await resolveOperation(worker, again.id, { readBack: { verdict: 'acted', detail: 'paused' } });
  expect(await findOperation(database.orm, again.id)).toMatchObject({ state: 'done', result: 'success' });
  const { rows } = await database.pool.query('SELECT stopped_on_purpose_at AS at FROM vms WHERE id = $1', [again.vmId]);
  expect(rows[0].at).not.toBeNull();
});
