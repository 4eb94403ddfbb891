import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Policy, policyFor, triggerReason, triggers } from '../../domain/policy.ts';
import { policy } from './examples.ts';

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

describe('a trigger', () => {
  it('comes at the policy’s own number of failures, not before', () => {
    const five = policy({ triggerAfterFailures: 5 });
    expect([4, 5, 6].map((failures) => triggers(five, failures))).toEqual([false, true, true]);
  });

  it('is told in spec C’s words', () => {
    expect(triggerReason(3)).toBe('3 consecutive failures');
  });
});
