import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckFact, Facts } from '../../domain/facts.ts';
import type { HealthStatus } from '../../domain/health.ts';
import { POLICY_ACTIONS, type Policy } from '../../domain/policy.ts';
import type { PowerAction } from '../../domain/power.ts';
import { hasRecovered, watchLimitMs } from '../../domain/recovery.ts';
import { type Decision, decideRemedy, GUARDS } from '../../domain/remedy.ts';
import { anyCheckType, anyIntervalMs, failing, HOUR, ill, MINUTE, NOW, passing, policy, SECOND } from './examples.ts';

const decide = (facts: Facts, chosen: Policy | null = policy()): Decision => decideRemedy(facts, chosen, NOW).decision;
const tried = (...agesMs: number[]) => agesMs.map((ageMs) => ({ atMs: NOW - ageMs, escalation: false }));

describe('what to do about an ill VM', () => {
  it('is the policy’s action, with the reason in spec C’s words and its verify window', () => {
    expect(decide(ill())).toEqual({
      kind: 'act',
      remedy: { action: 'restart', escalation: false, kind: 'power', power: 'reset' },
      reason: '3 consecutive failures',
      verifyMs: 120_000,
    });
  });

  it('is a reboot rather than a reset where the provider offers one', () => {
    expect(decide(ill({ providerSupports: ['reset', 'reboot'] }))).toMatchObject({ remedy: { power: 'reboot' } });
  });

  it.each<[Policy['action'], object]>([
    ['reset', { remedy: { kind: 'power', power: 'reset' }, verifyMs: 120_000 }],
    ['start', { remedy: { kind: 'power', power: 'start' }, verifyMs: 120_000 }],
    ['stop', { remedy: { kind: 'power', power: 'stop' }, verifyMs: 0 }],
    ['notify_only', { remedy: { kind: 'tell' }, verifyMs: 0 }],
    ['human', { remedy: { kind: 'tell' }, verifyMs: 0 }],
  ])('for a policy that says %s is just that', (action, expected) => {
    expect(decide(ill(), policy({ action }))).toMatchObject({ kind: 'act', ...expected });
  });

  it.each<[string, Partial<Facts>, Policy | null, string]>([
    ['it was deleted', { deleted: true }, policy(), 'vm-deleted'],
    ['it was stopped by request', { stoppedOnPurpose: true }, policy(), 'stopped-on-purpose'],
    ['it is well', { status: 'healthy', consecutiveFailures: 0, checks: [passing()] }, policy(), 'recovered'],
    ['no policy wants it healed', {}, null, 'no-policy'],
  ])('is nothing any more when %s', (_title, given, chosen, reason) => {
    expect(decide(ill(given), chosen)).toEqual({ kind: 'stop', reason });
  });

  const MANY_OBJECTIONS = ill({
    lastLookAtMs: null,
    consecutiveFailures: 0,
    checks: [failing({ checkType: 'agent' })],
    attempts: tried(3 * MINUTE, 2 * MINUTE, MINUTE),
    provider: { answered: false, reason: 'busy', message: 'busy' },
    providerSupports: [],
  });

  it('is to hold for the first objection; what every guard said is kept, in order', () => {
    const { decision, guards } = decideRemedy(MANY_OBJECTIONS, policy(), NOW);
    expect(decision).toMatchObject({ kind: 'hold', reason: 'not-watched' });
    expect(guards.map((answer) => answer.guard)).toEqual(GUARDS.map((guard) => guard.reason));
    expect(guards.filter((answer) => answer.objection === null).map((answer) => answer.guard)).toEqual([
      'failures-old',
    ]);
  });

  it('asks its guards in this order', () => {
    expect(GUARDS.map((guard) => guard.reason)).toEqual([
      'not-watched',
      'below-threshold',
      'silence-alone',
      'failures-old',
      'attempts-used-up',
      'cooldown',
      'action-unsupported',
      'provider-unreachable',
    ]);
  });
});

describe('at the end of its attempts', () => {
  const usedUp = tried(90 * MINUTE, 60 * MINUTE, MINUTE);
  const escalates = policy({ escalateAfterAttempts: 3 });

  it('a policy escalates, without waiting for the cooldown to tell people', () => {
    expect(decide(ill({ attempts: usedUp }), escalates)).toEqual({
      kind: 'act',
      remedy: { action: 'notify_only', escalation: true, kind: 'tell' },
      reason: 'Escalation after max attempts',
      verifyMs: 0,
    });
  });

  it.each<[string, Partial<Facts>, Policy]>([
    ['when it has none', { attempts: usedUp }, policy()],
    ['when it would only escalate after more', { attempts: usedUp }, policy({ escalateAfterAttempts: 4 })],
    ['a second time', { attempts: [...usedUp, { atMs: NOW - SECOND, escalation: true }] }, escalates],
  ])('a policy does not escalate %s', (_title, given, chosen) => {
    expect(decide(ill(given), chosen)).toMatchObject({ kind: 'hold', reason: 'attempts-used-up' });
  });

  it('a policy does not escalate before, even when it would after fewer', () => {
    const facts = ill({ attempts: tried(60 * MINUTE, 30 * MINUTE) });
    expect(decide(facts, policy({ escalateAfterAttempts: 1 }))).toMatchObject({ remedy: { escalation: false } });
  });

  it('an escalation that acts on the power passes the same guards', () => {
    const stops = policy({ escalateAfterAttempts: 3, escalationAction: 'stop' });
    expect(decide(ill({ attempts: usedUp }), stops)).toMatchObject({ kind: 'hold', reason: 'cooldown' });
    const cooled = ill({ attempts: tried(90 * MINUTE, 60 * MINUTE, 30 * MINUTE) });
    expect(decide(cooled, stops)).toMatchObject({ kind: 'act', remedy: { power: 'stop', escalation: true } });
    const silent = { ...cooled, checks: [failing({ checkType: 'agent' })] };
    expect(decide(silent, stops)).toMatchObject({ kind: 'hold', reason: 'silence-alone' });
  });
});

const anyAge = fc.oneof(fc.integer({ min: 0, max: 20 * MINUTE }), fc.integer({ min: 0, max: 72 * HOUR }));
const anyPast = anyAge.map((ageMs) => NOW - ageMs);
const anyStatus = fc.constantFrom<HealthStatus>('unknown', 'healthy', 'degraded', 'unhealthy');

const anyCheck: fc.Arbitrary<CheckFact> = fc.record({
  checkId: fc.uuid(),
  checkType: anyCheckType,
  status: anyStatus,
  consecutiveFailures: fc.integer({ min: 0, max: 12 }),
  reason: fc.constantFrom('ok', 'timeout', 'look-failed', 'heartbeat-stale'),
  message: fc.option(fc.string()),
  lastCheckAtMs: fc.option(anyPast),
  intervalMs: anyIntervalMs,
  timeoutMs: fc.integer({ min: 1, max: 60 }).map((seconds) => seconds * SECOND),
});

const anyFacts: fc.Arbitrary<Facts> = fc.record({
  vmId: fc.uuid(),
  incident: fc.integer({ min: 1, max: 99 }),
  deleted: fc.constant(false),
  stoppedOnPurpose: fc.constant(false),
  status: anyStatus,
  consecutiveFailures: fc.integer({ min: 0, max: 12 }),
  checks: fc.array(anyCheck, { maxLength: 4 }),
  lastLookAtMs: fc.option(anyPast),
  attempts: fc
    .array(fc.record({ atMs: anyPast, escalation: fc.boolean() }), { maxLength: 6 })
    .map((attempts) => attempts.sort((a, b) => a.atMs - b.atMs)),
  lastRemedyDoneAtMs: fc.option(anyPast),
  lastNotSentAtMs: fc.option(anyPast),
  provider: fc.oneof(
    fc.constant({ answered: true as const, power: 'running', detail: '' }),
    fc.constant({ answered: false as const, reason: 'unreachable', message: 'connect ENOENT' }),
  ),
  providerSupports: fc.subarray<PowerAction>(['reset', 'reboot', 'shutdown', 'stop', 'start']),
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

/** Facts near enough to a heal that guards disagree about them. */
const anyNearlyIll = fc
  .tuple(
    anyFacts,
    fc.subarray(['checks', 'lastLookAtMs', 'provider', 'providerSupports', 'attempts', 'status'] as const),
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

describe('whatever the facts and the policy', () => {
  it('a power action needs a check other than the agent that failed often enough, lately and since the last remedy', () => {
    let acted = 0;
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'act' || decision.remedy.kind !== 'power') return;
        acted++;
        const grounds = facts.checks.filter(
          (check) =>
            check.checkType !== 'agent' &&
            check.consecutiveFailures >= chosen.triggerAfterFailures &&
            check.lastCheckAtMs !== null &&
            check.lastCheckAtMs > (facts.lastRemedyDoneAtMs ?? 0) &&
            NOW - check.lastCheckAtMs <= 3 * check.intervalMs + check.timeoutMs,
        );
        expect(grounds).not.toEqual([]);
        expect(NOW - (facts.lastLookAtMs ?? 0)).toBeLessThanOrEqual(watchLimitMs(facts.checks));
        expect(facts.provider.answered).toBe(true);
        expect(facts.providerSupports).toContain(decision.remedy.power);
      }),
      { numRuns: 2_000 },
    );
    expect(acted).toBeGreaterThan(20);
  });

  it('nothing is done during the cooldown but telling people of an escalation', () => {
    fc.assert(
      fc.property(anyCase, anyAge, ({ facts, chosen }, ageMs) => {
        const lastMs = Math.min(ageMs, chosen.cooldownMinutes * MINUTE - 1);
        fc.pre(lastMs >= 0);
        const attempts = [...facts.attempts.filter((one) => NOW - one.atMs > lastMs), ...tried(lastMs)];
        const decision = decide({ ...facts, attempts }, chosen);
        if (decision.kind === 'act') expect(decision.remedy).toMatchObject({ kind: 'tell', escalation: true });
      }),
    );
  });

  it('nothing is done beyond the policy’s attempts but one escalation', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const decision = decide(facts, chosen);
        if (decision.kind !== 'act') return;
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

  it('agents alone, however many are silent, never start a power action', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const checks = facts.checks.map((check): CheckFact => ({ ...check, checkType: 'agent' }));
        expect(decide({ ...facts, checks }, chosen)).not.toMatchObject({ kind: 'act', remedy: { kind: 'power' } });
      }),
    );
  });

  it('checks that never could tell never start a power action', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        const checks = facts.checks.map((check): CheckFact => ({ ...check, status: 'unknown', lastCheckAtMs: null }));
        expect(decide({ ...facts, checks }, chosen)).not.toMatchObject({ kind: 'act', remedy: { kind: 'power' } });
      }),
    );
  });

  it('a VM that is deleted, stopped by request or well again is left alone', () => {
    fc.assert(
      fc.property(anyCase, ({ facts, chosen }) => {
        expect(decide({ ...facts, deleted: true }, chosen)).toEqual({ kind: 'stop', reason: 'vm-deleted' });
        expect(decide({ ...facts, stoppedOnPurpose: true }, chosen)).toMatchObject({ kind: 'stop' });
        if (hasRecovered(facts)) expect(decide(facts, chosen)).toEqual({ kind: 'stop', reason: 'recovered' });
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
        if (decision.kind === 'stop') return;
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
