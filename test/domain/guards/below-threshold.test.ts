import { describe, expect, it } from 'vitest';
import { belowThreshold } from '../../../domain/guards/below-threshold.ts';
import { ill, policy } from '../examples.ts';
import { ask } from './ask.ts';

describe('below-threshold', () => {
  it.each([
    [3, 3],
    [4, 3],
    [1, 1],
  ])('has no objection to %i failures in a row when the policy acts at %i', (failures, trigger) => {
    const facts = ill({ consecutiveFailures: failures });
    expect(ask(belowThreshold, { facts, policy: policy({ triggerAfterFailures: trigger }) })).toBeNull();
  });

  it.each([
    [2, 3],
    [0, 1],
    [3, 10],
  ])('objects to %i failures in a row when the policy acts at %i', (failures, trigger) => {
    const facts = ill({ consecutiveFailures: failures });
    expect(ask(belowThreshold, { facts, policy: policy({ triggerAfterFailures: trigger }) })).toMatchObject({
      reason: 'below-threshold',
      sentence: `${failures} consecutive failures, the policy acts at ${trigger}`,
    });
  });
});
