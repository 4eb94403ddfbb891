import { eq } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../activities/heal/decide.ts';
import { type NewOperation, recordOperationEvent } from '../../db/heals/operations.ts';
import { vms } from '../../db/schema/vms.ts';
import type { Facts } from '../../domain/facts.ts';
import type { OperationEvent } from '../../domain/operation.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { HealWorld, MINUTE, type Patient, SECOND } from './heal-world.ts';

const HOUR = 60 * MINUTE;
const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let world: HealWorld;
let ill: Patient;
beforeEach(async () => {
  ({ world, ill } = await HealWorld.withIllVm(database));
});

/** The facts of the decision that is made now. */
async function facts(): Promise<Facts> {
  await decide(world.deps, ill);
  return (await world.steps(ill)).at(-1)!.facts;
}

let attempt = 0;
/** An operation of the VM's incident that was decided then and ended so, a second later. */
async function ended(afterNoonMs: number, event: OperationEvent | null, given: Partial<NewOperation> = {}) {
  const { id } = await intendedReset(database, ill.vmId, { attempt: ++attempt, ...given });
  await database.pool.query('UPDATE operations SET intended_at = $2 WHERE id = $1', [id, new Date(NOON + afterNoonMs)]);
  if (event === null) return;
  await database.orm.transaction((tx) => recordOperationEvent(tx, id, event, NOON + afterNoonMs + SECOND));
}

const DONE: OperationEvent = { kind: 'done', detail: 'done', conclusive: false, presumed: false };
const refused = (detail: string): OperationEvent => ({ kind: 'withdrawn', detail, result: 'failed' });
const UNWANTED: OperationEvent = { kind: 'withdrawn', detail: 'decided otherwise', result: 'skipped' };

describe('the facts of a decision', () => {
  it('are those of the VM, its checks and its settings', async () => {
    await database.orm
      .update(vms)
      .set({ keepRunning: true, startedAt: new Date(NOON - HOUR) })
      .where(eq(vms.id, ill.vmId));
    const { settingsVersion, checks } = await world.read(ill.vmId);
    expect(await facts()).toMatchObject({
      vmId: ill.vmId,
      incident: ill.incident,
      deleted: false,
      stoppedOnPurpose: false,
      paused: null,
      keepRunning: true,
      startedAtMs: NOON - HOUR,
      bootGraceMs: 180_000,
      pausedGraceMs: 120_000,
      status: 'unhealthy',
      consecutiveFailures: 3,
      lastLookAtMs: NOON,
      provider: { answered: true, power: 'running', detail: 'running' },
      powerReading: { state: 'running', sinceMs: NOON + SECOND, before: null },
      providerSupports: ['reset', 'stop', 'start', 'resume'],
      settingsVersion,
      gatheredAtMs: NOON + SECOND,
      checks: [
        {
          checkId: checks[0]!.checkId,
          checkType: 'http',
          name: '',
          about: 'alive',
          needsCorroboration: false,
          trusted: true,
          intervalMs: 60_000,
          timeoutMs: 10_000,
          status: 'unhealthy',
          consecutiveFailures: 3,
          reason: 'timeout',
          message: 'HTTP timeout (10s)',
          lastDueAtMs: NOON,
          lastCheckAtMs: NOON + 3,
          lastHealthyAtMs: null,
          provenAtMs: null,
        },
      ],
    });
  });

  it('count the failures of the worst check that is about being alive, as its checks stand now', async () => {
    ill = await world.illVm({}, [{}, { checkType: 'certificate' }, { checkType: 'agent' }]);
    await world.look(ill.vmId, MINUTE, 'unhealthy', 'certificate');
    await world.look(ill.vmId, MINUTE, 'healthy', 'agent');
    expect((await facts()).consecutiveFailures).toBe(3);
  });

  it('know no action of a provider of a kind that this version does not know', async () => {
    Object.assign(world.deps.providers, { kinds: new Map() });
    expect((await facts()).providerSupports).toEqual([]);
  });
});

describe('earlier attempts', () => {
  it('count since the policy’s window began', async () => {
    await ended(-25 * HOUR, DONE);
    await ended(-23 * HOUR, DONE);
    expect((await facts()).attempts).toEqual([{ atMs: NOON - 23 * HOUR, escalation: false }]);
  });

  it('count no more once a person has reset them', async () => {
    await ended(-2 * HOUR, DONE);
    const at = new Date(NOON - HOUR);
    await database.orm.update(vms).set({ attemptsResetAt: at }).where(eq(vms.id, ill.vmId));
    expect((await facts()).attempts).toEqual([]);
  });

  it('tell when the last remedy was done, which is what looks may judge; notifying people is none', async () => {
    await ended(-30 * MINUTE, DONE);
    await ended(-20 * MINUTE, DONE, { power: null, action: 'notify_only' });
    await ended(-10 * MINUTE, refused('busy'));
    expect((await facts()).lastRemedyDoneAtMs).toBe(NOON - 30 * MINUTE + SECOND);
  });

  it('say nothing where there were none', async () => {
    expect(await facts()).toMatchObject({
      attempts: [],
      lastRemedyDoneAtMs: null,
      notSent: null,
      resumesInVain: null,
    });
  });
});

describe('tries that could not be sent', () => {
  it('are those in a row up to now, with when and why the last of them ended', async () => {
    await ended(-40 * MINUTE, refused('of long ago'));
    await ended(-30 * MINUTE, DONE);
    for (const minute of [-25, -20, -15]) await ended(minute * MINUTE, refused('busy'));
    await ended(-10 * MINUTE, refused('locked'));
    expect((await facts()).notSent).toEqual({
      count: 4,
      lastAtMs: NOON - 10 * MINUTE + SECOND,
      lastDetail: 'locked',
    });
  });

  it('do not count what was not wanted any more, though it was the last', async () => {
    await ended(-20 * MINUTE, refused('busy'));
    await ended(-10 * MINUTE, UNWANTED);
    expect((await facts()).notSent).toEqual({
      count: 1,
      lastAtMs: NOON - 10 * MINUTE + SECOND,
      lastDetail: 'decided otherwise',
    });
  });

  it('are over once one was done, and once a person has reset the attempts', async () => {
    await ended(-20 * MINUTE, refused('busy'));
    await ended(-10 * MINUTE, DONE);
    expect((await facts()).notSent).toBeNull();
    ill = await world.illVm();
    await ended(-20 * MINUTE, refused('busy'));
    const at = new Date(NOON - 20 * MINUTE);
    await database.orm.update(vms).set({ attemptsResetAt: at }).where(eq(vms.id, ill.vmId));
    expect((await facts()).notSent).toBeNull();
  });
});

describe('what was decided and not sent yet', () => {
  it('does not interrupt the tries that could not be sent', async () => {
    await ended(-20 * MINUTE, refused('busy'));
    await ended(-10 * MINUTE, refused('busy'));
    expect((await facts()).notSent).toMatchObject({ count: 2 });
    await world.setPolicy({ action: 'stop' });
    expect((await facts()).notSent).toMatchObject({ count: 2 });
  });
});

describe('resumes for failed storage', () => {
  const resume = { action: 'resume', power: 'resume', cause: 'storage-failed' } as const;

  it('are those in a row up to now, with when the last of them ended', async () => {
    await ended(-50 * MINUTE, DONE, resume);
    await ended(-40 * MINUTE, DONE);
    for (const minute of [-30, -25]) await ended(minute * MINUTE, DONE, resume);
    await ended(-20 * MINUTE, refused('busy'), resume);
    expect((await facts()).resumesInVain).toEqual({ count: 3, lastAtMs: NOON - 20 * MINUTE + SECOND });
  });

  it('are over once another remedy was tried', async () => {
    await ended(-30 * MINUTE, DONE, resume);
    await ended(-20 * MINUTE, DONE);
    expect((await facts()).resumesInVain).toBeNull();
  });
});
