import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { askProvider } from '../../activities/heal/ask-provider.ts';
import { decide } from '../../activities/heal/decide.ts';
import { recordIncident, recordIncidentClosed } from '../../db/heals/incidents.ts';
import { recordOperationEvent } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { vms } from '../../db/schema/vms.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { NOON } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { HealWorld, MINUTE, type Patient, running, SECOND } from './heal-world.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let world: HealWorld;
let ill: Patient;
beforeEach(async () => {
  ({ world, ill } = await HealWorld.withIllVm(database));
});

const idOf = ({ vmId, incident }: Patient, action: string, attempt: number) =>
  `${vmId}/${incident}/${action}/${attempt}`;
const ended = (id: string, detail: string) =>
  database.orm.transaction((tx) => recordOperationEvent(tx, id, { kind: 'not-sent', detail }, NOON + 2 * SECOND));

describe('a decision to act', () => {
  it('names the operation that it has stored, and where that is sent from', async () => {
    expect(await decide(world.deps, ill)).toEqual({
      kind: 'act',
      operationId: idOf(ill, 'restart', 1),
      action: 'restart',
      power: 'reset',
      attempt: 1,
      verifyMs: 120_000,
      line: 'acts: restart by reset, attempt 1 (3 consecutive failures)',
      site: 'main',
    });
    const [operation, ...others] = await world.operations(ill);
    expect(others).toEqual([]);
    expect(operation).toMatchObject({
      id: idOf(ill, 'restart', 1),
      state: 'intended',
      result: 'pending',
      power: 'reset',
      attempt: 1,
      escalation: false,
      cause: 'unresponsive',
      reason: '3 consecutive failures',
      previousStatus: 'unhealthy',
      policyId: expect.any(String),
      intendedAt: new Date(NOON + SECOND),
    });
  });

  it('is kept with the facts it was made from and what every guard answered', async () => {
    await decide(world.deps, ill);
    const [step] = await world.steps(ill);
    expect(step).toMatchObject({ kind: 'act', reason: '3 consecutive failures', decidedAt: new Date(NOON + SECOND) });
    expect(step?.guards.map(({ objection }) => objection)).toEqual(step?.guards.map(() => null));
    expect(step?.facts).toMatchObject({ vmId: ill.vmId, status: 'unhealthy', gatheredAtMs: NOON + SECOND });
  });

  it('is fenced by the settings, the policies, the failures and the state that it was made from', async () => {
    await decide(world.deps, ill);
    const [operation] = await world.operations(ill);
    const { settingsVersion, checks } = await world.read(ill.vmId);
    expect(operation?.fence).toEqual({
      settingsVersion,
      policyRevision: expect.any(Number),
      checks: [{ checkId: checks[0]!.checkId, consecutiveFailures: 3 }],
      powerState: 'running',
      factsAtMs: NOON + SECOND,
    });
  });

  it('says only the action where that is what is done, and needs no site where nothing is sent', async () => {
    await world.setPolicy({ action: 'reset' });
    expect(await decide(world.deps, ill)).toMatchObject({
      line: 'acts: reset, attempt 1 (3 consecutive failures)',
      site: 'main',
    });
    await world.setPolicy({ action: 'notify_only' });
    const other = await world.illVm();
    expect(await decide(world.deps, other)).toMatchObject({
      line: 'acts: notify_only, attempt 1 (3 consecutive failures)',
      site: null,
      verifyMs: 0,
    });
    expect(await world.operations(other)).toMatchObject([{ power: null }]);
  });

  it('counts on from the attempts of its incident', async () => {
    await intendedReset(database, ill.vmId, { id: 'an earlier one', attempt: 4 });
    await ended('an earlier one', 'refused');
    await world.setTime(MINUTE);
    await world.look(ill.vmId, MINUTE, 'unhealthy');
    expect(await decide(world.deps, ill)).toMatchObject({ operationId: idOf(ill, 'restart', 5) });
  });
});

describe('what was decided and not sent yet', () => {
  it('goes on when it would be decided again, from what is so now', async () => {
    const first = await decide(world.deps, ill);
    await world.setTime(61 * SECOND);
    await world.look(ill.vmId, 60 * SECOND, 'unhealthy');
    expect(await decide(world.deps, ill)).toEqual({
      ...first,
      line: 'acts: restart by reset, attempt 1 (goes on with what it had decided)',
    });
    const operations = await world.operations(ill);
    expect(operations).toMatchObject([
      { state: 'intended', fence: { factsAtMs: NOON + 61 * SECOND, checks: [{ consecutiveFailures: 4 }] } },
    ]);
    expect(await world.steps(ill)).toHaveLength(1);
  });

  it('is withdrawn when another action is wanted, which is another attempt', async () => {
    await decide(world.deps, ill);
    await world.setPolicy({ action: 'stop' });
    expect(await decide(world.deps, ill)).toMatchObject({ operationId: idOf(ill, 'stop', 2) });
    expect(await world.operations(ill)).toMatchObject([
      { state: 'abandoned', result: 'skipped', detail: 'never sent: decided otherwise before it was' },
      { state: 'intended', action: 'stop', power: 'stop' },
    ]);
    expect(await world.steps(ill)).toHaveLength(2);
  });

  it('is withdrawn when the same action would be for another reason', async () => {
    await decide(world.deps, ill);
    world.power = running('panicked');
    expect(await decide(world.deps, ill)).toMatchObject({ operationId: idOf(ill, 'restart', 2) });
    expect(await world.operations(ill)).toMatchObject([
      { state: 'abandoned', cause: 'unresponsive' },
      { state: 'intended', cause: 'panicked' },
    ]);
  });

  it('is withdrawn when the same action would be the escalation', async () => {
    const escalating = { maxAttempts: 1, escalateAfterAttempts: 1, escalationAction: 'restart' } as const;
    await world.setPolicy(escalating);
    await decide(world.deps, ill);
    // an attempt of another incident uses the policy's attempts up
    await intendedReset(database, ill.vmId, { incident: 99, attempt: 1, fence: null });
    expect(await decide(world.deps, ill)).toMatchObject({ line: expect.stringMatching(/Escalation/) });
    expect(await world.operations(ill)).toMatchObject([
      { state: 'abandoned', escalation: false },
      { state: 'intended', escalation: true },
    ]);
  });

  it('is withdrawn when a guard objects now', async () => {
    await decide(world.deps, ill);
    world.power = { ok: false, reason: 'unreachable', message: 'its socket is gone' };
    expect(await decide(world.deps, ill)).toMatchObject({ kind: 'hold', reason: 'provider-unreachable' });
    expect(await world.operations(ill)).toMatchObject([{ state: 'abandoned', result: 'skipped' }]);
  });

  it('is no attempt, and holds up nothing, when it is decided anew', async () => {
    await world.setPolicy({ maxAttempts: 1, cooldownMinutes: 10 });
    await decide(world.deps, ill);
    expect(await decide(world.deps, ill)).toMatchObject({ kind: 'act', operationId: idOf(ill, 'restart', 1) });
  });
});

describe('what was sent', () => {
  it('is gone on with, whatever would be decided now', async () => {
    const first = await decide(world.deps, ill);
    const [operation] = await world.operations(ill);
    await moveToSent(database, operation!, 'running');
    await world.look(ill.vmId, MINUTE, 'healthy');
    expect(await decide(world.deps, ill)).toEqual({
      ...first,
      line: 'acts: restart by reset, attempt 1 (goes on with what it had decided)',
    });
    expect(await world.operations(ill)).toMatchObject([{ state: 'sent' }]);
  });
});

describe('an incident', () => {
  it('that is closed is over, with nothing decided', async () => {
    await recordIncidentClosed(database.orm, ill.vmId, ill.incident, 'heal-lost', NOON);
    expect(await decide(world.deps, ill)).toEqual({ kind: 'close', reason: 'heal-lost', line: 'over (heal-lost)' });
    expect([await world.operations(ill), await world.steps(ill)]).toEqual([[], []]);
  });

  it('that was deleted is over', async () => {
    expect(await decide(world.deps, { ...ill, incident: 7 })).toMatchObject({ line: 'over (vm-deleted)' });
  });

  it('of a VM that does not exist is over', async () => {
    expect(await decide(world.deps, { vmId: randomUUID(), incident: 1 })).toEqual({
      kind: 'close',
      reason: 'vm-deleted',
      line: 'over (vm-deleted): there is no such VM',
    });
  });

  it('is closed when its VM has recovered, with the decision', async () => {
    await world.look(ill.vmId, MINUTE, 'healthy');
    await world.setTime(61 * SECOND);
    expect(await decide(world.deps, ill)).toEqual({ kind: 'close', reason: 'recovered', line: 'over (recovered)' });
    expect(await world.incident(ill)).toMatchObject({ outcome: 'recovered', closedAt: new Date(NOON + 61 * SECOND) });
    expect(await world.steps(ill)).toMatchObject([{ kind: 'close', reason: 'recovered' }]);
  });

  it('is closed when no policy is for its VM any more', async () => {
    await world.setPolicy({ tag: 'database' });
    expect(await decide(world.deps, ill)).toMatchObject({ line: 'over (no-policy)' });
    const tagged = await world.illVm({ tags: ['web', 'database'] });
    expect(await decide(world.deps, tagged)).toMatchObject({ kind: 'act' });
  });

  it('keeps how its VM is at its hypervisor, and since when', async () => {
    world.power = running('paused');
    await world.setPolicy();
    expect(await decide(world.deps, ill)).toMatchObject({ kind: 'hold', reason: 'paused-at-hypervisor' });
    await world.setTime(MINUTE);
    await decide(world.deps, ill);
    expect(await world.incident(ill)).toMatchObject({
      powerState: 'paused',
      powerStateSince: new Date(NOON + SECOND),
      powerStateBefore: null,
    });
    world.power = running('running');
    await decide(world.deps, ill);
    expect(await world.incident(ill)).toMatchObject({ powerState: 'running', powerStateBefore: 'paused' });
  });
});

describe('a decision to hold', () => {
  it('says why, until when, and what would change it', async () => {
    world.power = { ok: false, reason: 'unreachable', message: 'its socket is gone' };
    expect(await decide(world.deps, ill)).toEqual({
      kind: 'hold',
      reason: 'provider-unreachable',
      lookAgainInMs: 15_000,
      line: expect.stringMatching(/^holds \(provider-unreachable\): .*its socket is gone\. Would change: .+/),
    });
    expect(await world.operations(ill)).toEqual([]);
  });
});

it('gives a backup its time that pauses a VM some time after a reset that did not help', async () => {
  await world.setPolicy({ cooldownMinutes: 10 });
  await decide(world.deps, ill);
  const [reset] = await world.operations(ill);
  const done = { kind: 'done', detail: 'reset', conclusive: false, presumed: false } as const;
  await database.orm.transaction((tx) => recordOperationEvent(tx, reset!.id, done, NOON + 2 * SECOND));
  for (let minute = 1; minute <= 11; minute++) {
    await world.setTime(minute * MINUTE);
    await world.look(ill.vmId, minute * MINUTE, 'unhealthy');
    if (minute < 10) expect(await decide(world.deps, ill)).toMatchObject({ kind: 'hold', reason: 'cooldown' });
  }
  world.power = running('paused');
  expect(await decide(world.deps, ill)).toMatchObject({ kind: 'hold', reason: 'paused-at-hypervisor' });
});

describe('a provider at another site than was asked', () => {
  it('is asked there first', async () => {
    await database.orm.update(vms).set({ site: 'there' }).where(eq(vms.id, ill.vmId));
    const provider = await askProvider(world.deps, ill.vmId);
    expect(await decide(world.deps, { ...ill, provider })).toEqual({
      kind: 'ask',
      site: 'there',
      line: 'asks its provider at site there',
    });
    expect(await world.steps(ill)).toEqual([]);
  });

  it('is not asked again when it was asked at its own', async () => {
    const provider = await askProvider(world.deps, ill.vmId);
    world.power = { ok: false, reason: 'unreachable', message: 'its socket is gone' };
    expect(await decide(world.deps, { ...ill, provider })).toMatchObject({ kind: 'act', site: 'main' });
  });
});

it('what is wrong in a decision itself is no trouble of the database, and is not held for', async () => {
  const reach = () => {
    throw new Error('a mistake of ours');
  };
  const mistaken = { ...world.deps, providers: { ...world.deps.providers, reach } };
  await expect(decide(mistaken, ill)).rejects.toThrow('a mistake of ours');
});

describe('a new incident of a VM that was reset in the one before', () => {
  it('is not decided by what failed before that', async () => {
    const operation = await intendedReset(database, ill.vmId);
    const done = { kind: 'done', detail: 'reset', conclusive: false, presumed: false } as const;
    await database.orm.transaction((tx) => recordOperationEvent(tx, operation.id, done, NOON + 10 * SECOND));
    await recordIncidentClosed(database.orm, ill.vmId, operation.incident, 'heal-lost', NOON + 20 * SECOND);
    await world.setTime(30 * SECOND);
    const incident = (await recordIncident(database, ill.vmId, NOON + 30 * SECOND))!;
    expect(await decide(world.deps, { ...ill, incident })).toMatchObject({ kind: 'hold', reason: 'failures-old' });
  });
});
