import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckFact, Facts } from '../../domain/facts.ts';
import type { HealthStatus } from '../../domain/health.ts';
import { POLICY_ACTIONS, type Policy } from '../../domain/policy.ts';
import type { PowerAction, PowerState } from '../../domain/power.ts';
import { hasRecovered, watchLimitMs } from '../../domain/recovery.ts';
import { type Decision, decideRemedy, GUARDS } from '../../domain/remedy.ts';
import { anyCheckType, anyIntervalMs, HOUR, ill, LOAD, MINUTE, NOW, policy, SECOND, traitsOf } from './examples.ts';

const decide = (facts: Facts, chosen: Policy): Decision => decideRemedy(facts, chosen, NOW).decision;
const tried = (...agesMs: number[]) => agesMs.map((ageMs) => ({ atMs: NOW - ageMs, escalation: false }));

const anyAge = fc.oneof(fc.integer({ min: 0, max: 20 * MINUTE }), fc.integer({ min: 0, max: 72 * HOUR }));
const anyPast = anyAge.map((ageMs) => NOW - ageMs);
const anyResultStatus = fc.constantFrom<HealthStatus>('unknown', 'healthy', 'degraded', 'unhealthy');

const anyCheck: fc.Arbitrary<CheckFact> = fc
  .record({
    checkId: fc.uuid(),
    checkType: anyCheckType,
    name: fc.constantFrom('', 'another'),
    status: anyResultStatus,
    consecutiveFailures: fc.integer({ min: 0, max: 12 }),
    failingForMs: fc.option(fc.integer({ min: 0, max: 3 * HOUR })),
    reason: fc.constantFrom('ok', 'timeout', 'look-failed', 'heartbeat-stale'),
    message: fc.option(fc.string()),
    lastDueAtMs: fc.option(anyPast),
    lastCheckAtMs: fc.option(anyPast),
    lastHealthyAtMs: fc.option(anyPast),
    provenAtMs: fc.option(anyPast),
    trusted: fc.boolean(),
    intervalMs: anyIntervalMs,
    timeoutMs: fc.integer({ min: 1, max: 60 }).map((seconds) => seconds * SECOND),
  })
  .map((check) => ({ ...check, ...traitsOf(check.checkType) }));

const anyPower = fc.constantFrom<PowerState>(
  ...(['running', 'running', 'paused', 'off', 'panicked', 'dumping', 'storage-failed', 'suspended', 'saving'] as const),
  ...(['restoring', 'migrating', 'debugging', 'starting', 'unknown'] as const),
);

const anyFacts: fc.Arbitrary<Facts> = fc.record({
  vmId: fc.uuid(),
  incident: fc.integer({ min: 1, max: 99 }),
  deleted: fc.constant(false),
  stoppedOnPurpose: fc.constant(false),
  paused: fc.option(fc.record({ reason: fc.string(), by: fc.string() }), { freq: 9 }),
  keepRunning: fc.boolean(),
  startedAtMs: fc.option(anyPast),
  bootGraceMs: fc.integer({ min: 0, max: 10 * MINUTE }),
  status: anyResultStatus,
  consecutiveFailures: fc.integer({ min: 0, max: 12 }),
  checks: fc.array(anyCheck, { maxLength: 4 }),
  lastLookAtMs: fc.option(anyPast),
  attempts: fc
    .array(fc.record({ atMs: anyPast, escalation: fc.boolean() }), { maxLength: 6 })
    .map((attempts) => attempts.toSorted((a, b) => a.atMs - b.atMs)),
  lastRemedyDoneAtMs: fc.option(anyPast),
  notSent: fc.option(fc.record({ count: fc.nat(20), lastAtMs: anyPast, lastDetail: fc.string() })),
  resumesInVain: fc.option(fc.record({ count: fc.integer({ min: 1, max: 20 }), lastAtMs: anyPast })),
  provider: fc.oneof(
    anyPower.map((power) => ({ answered: true as const, power, detail: '' })),
    fc.constant({ answered: false as const, reason: 'unreachable', message: 'connect ENOENT' }),
  ),
  powerReading: fc.option(fc.record({ state: anyPower, sinceMs: anyPast, before: fc.option(anyPower) })),
  pausedGraceMs: fc.constantFrom(SECOND, 2 * MINUTE),
  providerSupports: fc.subarray<PowerAction>(['reset', 'reboot', 'shutdown', 'stop', 'start', 'resume']),
  settingsVersion: fc.nat(9),
  policyRevision: fc.nat(9),
  gatheredAtMs: fc.constant(NOW),
});

const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    triggerAfterFailures: fc.integer({ min: 1, max: 6 }),
    action: fc.constantFrom(...POLICY_ACTIONS),
    cooldownMinutes: fc.integer({ min: 0, max: 120 }),
    maxAttempts: fc.integer({ min: 0, max: 5 }),
    attemptWindowHours: fc.integer({ min: 1, max: 72 }),
    escalateAfterAttempts: fc.option(fc.integer({ min: 0, max: 6 })),
    escalationAction: fc.constantFrom(...POLICY_ACTIONS),
    verifySeconds: fc.integer({ min: 1, max: 600 }),
  })
  .map((given) => policy(given));

/** Facts close to those of a heal, so that not all guards answer the same. */
const anyNearlyIll = fc
  .tuple(
    anyFacts,
    fc.subarray([
      'checks',
      'lastLookAtMs',
      'provider',
      'powerReading',
      'providerSupports',
      'attempts',
      'status',
    ] as const),
  )
  .map(([facts, kept]): Facts => {
    const base = ill({ consecutiveFailures: facts.consecutiveFailures, lastRemedyDoneAtMs: facts.lastRemedyDoneAtMs });
    const changes = Object.fromEntries(kept.map((key) => [key, facts[key]]));
    return { ...base, ...changes };
  });

const anyCase = fc.record({ facts: fc.oneof(anyFacts, anyNearlyIll), chosen: anyPolicy });

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

const POWER_FOR_ILLNESS = { kind: 'act', remedy: { kind: 'power', cause: 'unresponsive' } };

describe('whatever the facts and the policy', () => {
  it('a power action for what checks say needs one about being alive, other than the agent, that failed often enough, lately and since the last remedy', () => {
    let acted = 0;
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'act' || decision.remedy.kind !== 'power') return;
        expect(facts.paused).toBeNull();
        expect(facts.provider.answered).toBe(true);
        expect(facts.providerSupports).toContain(decision.remedy.power);
        if (decision.remedy.cause !== 'unresponsive') return;
        acted++;
        const grounds = facts.checks.filter(
          (check) =>
            check.about === 'alive' &&
            !check.needsCorroboration &&
            (check.provenAtMs !== null || check.trusted) &&
            check.consecutiveFailures >= chosen.triggerAfterFailures &&
            check.lastCheckAtMs !== null &&
            check.lastCheckAtMs > (facts.lastRemedyDoneAtMs ?? 0) &&
            NOW - check.lastCheckAtMs <= 3 * check.intervalMs + check.timeoutMs,
        );
        expect(grounds).not.toEqual([]);
        expect(NOW - (facts.lastLookAtMs ?? 0)).toBeLessThanOrEqual(watchLimitMs(facts.checks));
      }),
      { numRuns: 2_000 },
    );
    expect(acted).toBeGreaterThan(20);
  });

  it('only a VM that runs, or whose guest has crashed, is ever reset; and none while its hypervisor is busy with it', () => {
    const acted = new Map<string, number>();
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'act' || decision.remedy.kind !== 'power' || !facts.provider.answered) return;
        const { power } = decision.remedy;
        acted.set(power, (acted.get(power) ?? 0) + 1);
        const { power: state } = facts.provider;
        if (power === 'reset' || power === 'reboot')
          expect(['running', 'panicked', 'dumping', 'starting']).toContain(state);
        if (power === 'resume') expect(['paused', 'storage-failed']).toContain(state);
        expect(['saving', 'restoring', 'migrating', 'suspended', 'debugging']).not.toContain(state);
        if (state === 'starting') {
          // a remedy of ours ended half-way
          expect(facts.powerReading?.state).toBe('starting');
          expect(facts.lastRemedyDoneAtMs ?? 0).toBeGreaterThanOrEqual(facts.powerReading?.sinceMs ?? Infinity);
        }
        expect(power !== 'stop' && state === 'off').toBe(power === 'start' && state === 'off');
      }),
      { numRuns: 5_000 },
    );
    expect([...acted.keys()]).toEqual(expect.arrayContaining(['reset', 'resume', 'start', 'stop']));
  });

  it('nothing is done during the cooldown but telling people of an escalation', () => {
    fc.assert(
      fc.property(anyCase, anyAge, ({ facts, chosen }, ageMs) => {
        const lastMs = Math.min(ageMs, chosen.cooldownMinutes * MINUTE - 1);
        fc.pre(lastMs >= 0);
        const attempts = [...facts.attempts.filter((one) => NOW - one.atMs > lastMs), ...tried(lastMs)];
        const decision = decide({ ...facts, attempts }, chosen);
        if (decision.kind !== 'act' || decision.remedy.cause === 'storage-failed') return;
        expect(decision.remedy).toMatchObject({ kind: 'notify', escalation: true });
      }),
    );
  });

  it('nothing is done beyond the policy’s attempts but one escalation', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'act' || decision.remedy.cause === 'storage-failed') return;
        const ordinary = facts.attempts.filter((one) => !one.escalation).length;
        if (!decision.remedy.escalation) expect(ordinary).toBeLessThan(chosen.maxAttempts);
        else {
          expect(ordinary).toBeGreaterThanOrEqual(
            Math.max(chosen.maxAttempts, chosen.escalateAfterAttempts ?? Infinity),
          );
          expect(facts.attempts.some((one) => one.escalation)).toBe(false);
          expect(decision.reason).toBe('Escalation after max attempts');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('nothing is done for its checks while it may be booting, unless it was seen to have booted', () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: 1, max: HOUR }), ({ facts, chosen }, leftMs) => {
        const checks = facts.checks.map((check): CheckFact => ({ ...check, lastHealthyAtMs: null }));
        const booting = { ...facts, checks, startedAtMs: NOW - facts.bootGraceMs + leftMs };
        fc.pre(booting.startedAtMs <= NOW);
        expect(decide(booting, chosen)).not.toMatchObject({ kind: 'act', remedy: { cause: 'unresponsive' } });
      }),
    );
  });

  it('agents alone, however many are silent, never start a power action', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const checks = facts.checks.map((check): CheckFact => ({ ...check, ...traitsOf('agent') }));
        expect(decide({ ...facts, checks }, chosen)).not.toMatchObject(POWER_FOR_ILLNESS);
      }),
    );
  });

  it('load and upkeep, however bad, never start a power action and never keep a VM from being well again', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const onlyLoad = facts.checks.map((check): CheckFact => ({ ...check, ...LOAD }));
        expect(decide({ ...facts, checks: onlyLoad }, chosen)).not.toMatchObject(POWER_FOR_ILLNESS);
        const without = facts.checks.filter((check) => check.about === 'alive');
        expect(hasRecovered({ ...facts, checks: [...onlyLoad, ...without] })).toBe(
          hasRecovered({ ...facts, checks: without }),
        );
      }),
    );
  });

  it('checks that never could tell never start a power action', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const checks = facts.checks.map((check): CheckFact => ({ ...check, status: 'unknown', lastCheckAtMs: null }));
        expect(decide({ ...facts, checks }, chosen)).not.toMatchObject(POWER_FOR_ILLNESS);
      }),
    );
  });

  it('a VM that is deleted, stopped on purpose or well again is left alone', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        expect(decide({ ...facts, deleted: true }, chosen)).toEqual({ kind: 'close', reason: 'vm-deleted' });
        expect(decide({ ...facts, stoppedOnPurpose: true }, chosen)).toMatchObject({ kind: 'close' });
        if (hasRecovered(facts)) expect(decide(facts, chosen)).toEqual({ kind: 'close', reason: 'recovered' });
      }),
    );
  });

  it('a hold says why, what would change its mind, and when it is looked at again', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'hold') return;
        expect(GUARDS.map((guard) => guard.reason)).toContain(decision.reason);
        expect(decision.lookAgainInMs).toBeGreaterThan(0);
        expect(decision.lookAgainInMs).toBeLessThan(2 ** 31);
        for (const words of [decision.sentence, decision.wouldChange]) {
          expect(words).toMatch(/\w+ \w+/);
          expect(words).not.toMatch(/undefined|NaN|null|Infinity/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a hold carries the first objection, and an action met none', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const { decision, guards } = decideRemedy(facts, chosen, NOW);
        if (decision.kind === 'close') return;
        const first = guards.find((answer) => answer.objection !== null);
        expect(first?.guard).toBe(decision.kind === 'hold' ? decision.reason : undefined);
        expect(first?.objection).toBe(decision.kind === 'hold' ? decision.sentence : undefined);
      }),
    );
  });

  it('the same facts give the same decision and stay as they were', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const copy = structuredClone({ facts, chosen });
        const decided = decideRemedy(deepFreeze(facts), deepFreeze(chosen), NOW);
        expect(decideRemedy(copy.facts, copy.chosen, NOW)).toEqual(decided);
      }),
    );
  });
});
