import { describe, expect, it } from 'vitest';
import { belowThreshold } from '../../../domain/guards/below-threshold.ts';
import { failing, ill, MINUTE, policy, SECOND } from '../examples.ts';
import { ask } from './ask.ts';

describe('below-threshold', () => {
  it.each([
    [3, 3],
    [4, 3],
    [1, 1],
  ])('has no objection to %i failures in a row when the policy acts at %i', (failures, trigger) => {
    const facts = ill({ consecutiveFailures: failures, checks: [failing({ consecutiveFailures: failures })] });
    expect(ask(belowThreshold, { facts, policy: policy({ triggerAfterFailures: trigger }) })).toBeNull();
  });

  it.each([
    [2, 3],
    [0, 1],
    [3, 10],
  ])('objects to %i failures in a row when the policy acts at %i', (failures, trigger) => {
    const facts = ill({ consecutiveFailures: failures, checks: [failing({ consecutiveFailures: failures })] });
    expect(ask(belowThreshold, { facts, policy: policy({ triggerAfterFailures: trigger }) })).toMatchObject({
      reason: 'below-threshold',
      sentence: `${failures} consecutive failures, the policy acts at ${trigger}`,
    });
  });

  it('objects to failures in a row that do not last long enough: it may be booting', () => {
    const checks = [
      failing({ consecutiveFailures: 12, failingForMs: 55 * SECOND }),
      failing({ checkId: 'slow', consecutiveFailures: 3, failingForMs: 40 * SECOND, intervalMs: 5 * MINUTE }),
      failing({ checkId: 'new', consecutiveFailures: 1, failingForMs: 0 }),
    ];
    expect(ask(belowThreshold, { facts: ill({ consecutiveFailures: 12, checks }), policy: policy() })).toEqual({
      reason: 'below-threshold',
      sentence: 'its checks have failed for 55 s, the policy acts after 120 s',
      wouldChange: 'failed looks for 120 s, or recovery',
      lookAgainInMs: 15_000,
    });
    const slower = checks.map((check) => (check.checkId === 'slow' ? { ...check, failingForMs: 5 * MINUTE } : check));
    expect(
      ask(belowThreshold, { facts: ill({ consecutiveFailures: 12, checks: slower }), policy: policy() }),
    ).toMatchObject({
      sentence: 'its checks have failed for 55 s, the policy acts after 120 s',
    });
    const patient = policy({ unhealthyForSeconds: 50 });
    expect(ask(belowThreshold, { facts: ill({ consecutiveFailures: 12, checks }), policy: patient })).toBeNull();
  });

  it('names the time to come as soon as the failures are as many as the policy asks for', () => {
    const checks = [failing({ consecutiveFailures: 3, failingForMs: 40 * SECOND })];
    expect(ask(belowThreshold, { facts: ill({ checks }), policy: policy() })?.sentence).toBe(
      'its checks have failed for 40 s, the policy acts after 120 s',
    );
  });

  it('names the failures in a row where only a check about load has failed that often', () => {
    const load = failing({ checkId: 'load', about: 'load', consecutiveFailures: 9, failingForMs: 10 * MINUTE });
    const checks = [failing({ consecutiveFailures: 2, failingForMs: 60 * SECOND }), load];
    const facts = ill({ consecutiveFailures: 2, checks });
    expect(ask(belowThreshold, { facts, policy: policy() })?.sentence).toBe(
      '2 consecutive failures, the policy acts at 3',
    );
  });
});
