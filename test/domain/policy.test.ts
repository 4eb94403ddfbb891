import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptsCountSince,
  effectivePolicy,
  type FailuresInARow,
  type Policy,
  triggerReason,
  triggers,
} from '../../domain/policy.ts';
import { policy } from './examples.ts';

const policyFor = (vm: typeof VM, policies: Policy[]) => effectivePolicy(vm, policies)?.policy ?? null;
const VM = { vmId: 'vm-1', tags: ['web', 'eu'] };

describe('the policy of a VM', () => {
  it.each<[title: string, policies: Partial<Policy>[], chosen: string | null]>([
    ['is none where there is none', [], null],
    ['is the one for its tenant', [{ id: 'all' }], 'all'],
    [
      'is the one for a tag of it rather than the one for its tenant',
      [{ id: 'all' }, { id: 'web', tag: 'web' }],
      'web',
    ],
    [
      'is the one for itself rather than any other, however young',
      [{ id: 'all' }, { id: 'web', tag: 'web' }, { id: 'own', vmId: 'vm-1', createdAtMs: 99 }],
      'own',
    ],
    ['is not one for another VM', [{ id: 'other', vmId: 'vm-2' }], null],
    ['is not one for another VM that shares a tag', [{ id: 'other', vmId: 'vm-2', tag: 'web' }], null],
    ['is not one for a tag it does not have', [{ id: 'db', tag: 'db' }], null],
    ['is never a disabled one', [{ id: 'own', vmId: 'vm-1', enabled: false }, { id: 'all' }], 'all'],
    [
      'is the oldest of equals',
      [
        { id: 'a', createdAtMs: 2 },
        { id: 'b', createdAtMs: 1 },
      ],
      'b',
    ],
    ['is the first by id of twins', [{ id: 'b' }, { id: 'a' }], 'a'],
    [
      'is the oldest among several of its tags',
      [
        { id: 'eu', tag: 'eu', createdAtMs: 5 },
        { id: 'web', tag: 'web' },
      ],
      'web',
    ],
  ])('%s', (_title, policies, chosen) => {
    expect(policyFor(VM, policies.map(policy))?.id ?? null).toBe(chosen);
  });

  const anyPolicy = fc
    .record({
      enabled: fc.boolean(),
      vmId: fc.constantFrom(null, 'vm-1', 'vm-2'),
      tag: fc.constantFrom(null, 'web', 'eu', 'db'),
      createdAtMs: fc.integer({ min: 0, max: 3 }),
    })
    .map((given) => policy(given));
  const anyPolicies = fc
    .array(anyPolicy, { maxLength: 12 })
    .map((policies) => policies.map((one, i) => ({ ...one, id: `policy-${i}` })));

  it('does not depend on the order in which policies are listed', () => {
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        expect(policyFor(VM, policies.toReversed())).toEqual(policyFor(VM, policies));
      }),
    );
  });

  it('is enabled, meant for it, and no other such policy is both as specific and older', () => {
    const rank = ({ vmId, tag }: Policy) => (vmId !== null ? 0 : tag !== null ? 1 : 2);
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        const meant = policies.filter(
          ({ enabled, vmId, tag }) =>
            enabled && (vmId === 'vm-1' || (vmId === null && (tag === null || VM.tags.includes(tag)))),
        );
        const chosen = policyFor(VM, policies);
        if (chosen === null) {
          expect(meant).toEqual([]);
          return;
        }
        expect(meant).toContain(chosen);
        for (const other of meant) {
          expect(rank(chosen)).toBeLessThanOrEqual(rank(other));
          if (rank(chosen) === rank(other)) expect(chosen.createdAtMs).toBeLessThanOrEqual(other.createdAtMs);
        }
      }),
    );
  });
});

describe('where the values of an effective policy come from', () => {
  it.each<[level: string, given: Partial<Policy>]>([
    ['vm', { id: 'own', vmId: 'vm-1' }],
    ['tag', { id: 'web', tag: 'web' }],
    ['tenant', { id: 'all' }],
  ])('is told as %s', (level, given) => {
    const chosen = policy(given);
    const effective = effectivePolicy(VM, [policy({ id: 'young', createdAtMs: 99 }), chosen]);
    expect(Object.keys(effective?.sources ?? {}).toSorted()).toEqual(Object.keys(chosen).toSorted());
    for (const source of Object.values(effective?.sources ?? {})) expect(source).toEqual({ level, policyId: given.id });
  });
});

describe('attempts count', () => {
  const HOUR = 3_600_000;
  it.each<[title: string, hours: number | null, resetAtMs: number | null, since: number]>([
    ['from the beginning of the policy’s window', 2, null, 98 * HOUR],
    ['for a day without a policy', null, null, 76 * HOUR],
    ['from the time at which a person reset them', 2, 99 * HOUR, 99 * HOUR],
    ['not from a reset before the window', 2, 50 * HOUR, 98 * HOUR],
  ])('%s', (_title, hours, resetAtMs, since) => {
    const given = hours === null ? null : policy({ attemptWindowHours: hours });
    expect(attemptsCountSince(given, resetAtMs, 100 * HOUR)).toBe(since);
  });
});

/** Failures of a check each minute. */
function inARow(consecutiveFailures: number, minutes: number): FailuresInARow {
  return { consecutiveFailures, failingForMs: minutes * 60_000, intervalMs: 60_000 };
}

describe('a trigger', () => {
  it('comes at the policy’s own number of failures, not before', () => {
    const five = policy({ triggerAfterFailures: 5 });
    expect([4, 5, 6].map((failures) => triggers(five, inARow(failures, failures - 1)))).toEqual([false, true, true]);
  });

  it.each([
    ['3 failures that take two intervals, by default', null, 3, 120, true],
    ['not 3 failures in less, by default: a quicker pace tells sooner, but does not act sooner', null, 3, 119, false],
    ['nor many', null, 13, 119, false],
    ['3 failures within no time, where it says 0 s', 0, 3, 0, true],
    ['not 3 failures before the time that it names', 600, 3, 599, false],
    ['3 failures after the time that it names', 600, 3, 600, true],
    ['not 2 failures, however long they take', 600, 2, 6_000, false],
  ])('takes %s', (_title, unhealthyForSeconds, failures, seconds, isTrigger) => {
    const given = policy({ triggerAfterFailures: 3, unhealthyForSeconds });
    const row = { consecutiveFailures: failures, failingForMs: seconds * 1000, intervalMs: 60_000 };
    expect(triggers(given, row)).toBe(isTrigger);
  });

  it('takes failures that were counted before their time was measured', () => {
    const row = { consecutiveFailures: 3, failingForMs: null, intervalMs: 60_000 };
    expect([triggers(policy(), row), triggers(policy({ unhealthyForSeconds: 600 }), row)]).toEqual([true, true]);
  });

  it('is given in the words of heal events', () => {
    expect(triggerReason(3)).toBe('3 consecutive failures');
  });
});
