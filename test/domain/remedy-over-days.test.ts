import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptFact } from '../../domain/facts.ts';
import type { Policy } from '../../domain/policy.ts';
import { type Decision, decideRemedy } from '../../domain/remedy.ts';
import { expired, failing, HOUR, ill, MINUTE, NOW, policy, SECOND, silent } from './examples.ts';

interface Act extends AttemptFact {
  power: boolean;
  reason: string;
}

interface Days {
  acts: Act[];
  holds: { atMs: number; decision: Decision & { kind: 'hold' } }[];
}

/**
 * Plays a VM that stays ill for days, whatever is done to it, from decision to decision in virtual time. News ends a hold
 * early: `wakes` says after which share of the wait.
 */
function staysIll(chosen: Policy, lastsMs: number, wakes: readonly number[], checks = [failing()]): Days {
  const days: Days = { acts: [], holds: [] };
  let lastRemedyDoneAtMs: number | null = null;
  let nowMs = NOW;
  for (let turn = 0; nowMs < NOW + lastsMs; turn++) {
    if (turn > 20_000) throw new Error('decides in a tight loop');
    const facts = ill({
      checks: checks.map((check) => ({ ...check, lastCheckAtMs: nowMs })),
      lastLookAtMs: nowMs,
      attempts: days.acts.filter((act) => act.atMs > nowMs - chosen.attemptWindowHours * HOUR),
      lastRemedyDoneAtMs,
      providerSupports: ['reset', 'reboot', 'stop', 'start'],
    });
    const { decision } = decideRemedy(facts, chosen, nowMs);
    if (decision.kind === 'close') throw new Error(`gave up: ${decision.reason}`);
    if (decision.kind === 'hold') {
      days.holds.push({ atMs: nowMs, decision });
      nowMs += Math.max(1, Math.ceil(decision.lookAgainInMs * (wakes[turn % wakes.length] ?? 1)));
    } else {
      const { remedy, reason } = decision;
      days.acts.push({ atMs: nowMs, escalation: remedy.escalation, power: remedy.kind === 'power', reason });
      if (remedy.kind === 'power') lastRemedyDoneAtMs = nowMs + SECOND;
      nowMs += 2 * SECOND + decision.verifyMs;
    }
  }
  return days;
}

const anyWakes = fc.array(fc.double({ min: 0.3, max: 1, noNaN: true }), { minLength: 1, maxLength: 10 });

const anyPolicy = fc
  .record({
    action: fc.constantFrom<Policy['action']>('restart', 'reset', 'reboot', 'notify_only'),
    cooldownMinutes: fc.integer({ min: 0, max: 30 }),
    maxAttempts: fc.integer({ min: 1, max: 5 }),
    attemptWindowHours: fc.integer({ min: 6, max: 48 }),
    escalateAfterAttempts: fc.option(fc.integer({ min: 0, max: 7 })),
    escalationAction: fc.constantFrom<Policy['action']>('notify_only', 'human', 'reset', 'stop'),
    verifySeconds: fc.integer({ min: 1, max: 300 }),
  })
  .map((given) => policy(given));

function overDays(judge: (days: Days, chosen: Policy, windowMs: number) => void): void {
  fc.assert(
    fc.property(anyPolicy, anyWakes, (chosen, wakes) => {
      const windowMs = chosen.attemptWindowHours * HOUR;
      judge(staysIll(chosen, 3.5 * windowMs, wakes), chosen, windowMs);
    }),
    { numRuns: 60 },
  );
}

const escalatesAtAll = ({ escalateAfterAttempts, maxAttempts }: Policy) =>
  escalateAfterAttempts !== null && escalateAfterAttempts <= maxAttempts;

describe('a VM that stays ill for days', () => {
  it('by default is reset three times ten minutes apart, then again as each attempt leaves the window', () => {
    const { acts } = staysIll(policy({ verifySeconds: 60 }), 25 * HOUR, [1]);
    expect(acts.map((act) => (act.atMs - NOW) / MINUTE)).toEqual([0, 10, 20, 1440, 1450, 1460]);
  });

  it('gets no more than the policy’s attempts within any window', () => {
    overDays(({ acts }, chosen, windowMs) => {
      const ordinary = acts.filter((act) => !act.escalation);
      for (const { atMs } of ordinary) {
        const within = ordinary.filter((act) => act.atMs > atMs - windowMs && act.atMs <= atMs);
        expect(within.length).toBeLessThanOrEqual(chosen.maxAttempts);
      }
    });
  });

  it('gets all its attempts in each window: none is lost to waiting', () => {
    overDays(({ acts }, chosen) => {
      const ordinary = acts.filter((act) => !act.escalation);
      expect(ordinary.length).toBeGreaterThanOrEqual(3 * chosen.maxAttempts);
    });
  });

  it('is left to cool down between attempts', () => {
    overDays(({ acts }, chosen) => {
      for (const [i, act] of acts.entries()) {
        const before = acts[i - 1];
        if (before === undefined || (act.escalation && !act.power)) continue;
        expect(act.atMs - before.atMs).toBeGreaterThanOrEqual(chosen.cooldownMinutes * MINUTE);
      }
    });
  });

  it('is escalated once in any window, at the end of its attempts and with that reason', () => {
    overDays(({ acts, holds }, chosen, windowMs) => {
      const escalations = acts.filter((act) => act.escalation);
      for (const [i, act] of escalations.entries()) {
        expect(act.reason).toBe('Escalation after max attempts');
        expect(act.atMs - (escalations[i - 1]?.atMs ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(windowMs);
        const before = acts.filter((one) => !one.escalation && one.atMs > act.atMs - windowMs && one.atMs <= act.atMs);
        expect(before).toHaveLength(chosen.maxAttempts);
      }
      const usedUp = holds.filter((hold) => hold.decision.reason === 'attempts-used-up');
      expect(usedUp.length).toBeGreaterThan(0);
      for (const { atMs } of usedUp) {
        const told = escalations.filter((act) => act.atMs > atMs - windowMs && act.atMs <= atMs);
        expect(told).toHaveLength(escalatesAtAll(chosen) ? 1 : 0);
      }
    });
  });

  it('is never touched when its agent is silent and a certificate has run out, and nothing else fails', () => {
    fc.assert(
      fc.property(anyPolicy, anyWakes, (chosen, wakes) => {
        const { acts } = staysIll(chosen, 12 * HOUR, wakes, [silent(), expired()]);
        expect(acts.filter((act) => act.power)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
