import { describe, expect, it } from 'vitest';
import type { CheckFact } from '../../../domain/facts.ts';
import { unproven } from '../../../domain/guards/unproven.ts';
import { expired, failing, ill, passing, silent } from '../examples.ts';
import { ask, NOTIFY, RESET_CRASHED } from './ask.ts';

const MISTYPED = failing({ checkId: 'tcp-1', checkType: 'tcp', provenAtMs: null, consecutiveFailures: 50 });
const NEVER_HEARD = silent({ provenAtMs: null, reason: 'no-heartbeat' });

describe('unproven', () => {
  it.each<[string, CheckFact[]]>([
    ['the check that fails has succeeded before', [failing()]],
    ['it never has, but an administrator trusts it', [{ ...MISTYPED, trusted: true }]],
    ['one that never has fails beside one that has', [MISTYPED, failing()]],
    ['it never has, and fails too seldom to count', [{ ...MISTYPED, consecutiveFailures: 2 }]],
    ['what never has succeeded is about upkeep', [failing(), expired({ provenAtMs: null })]],
    ['an agent that was heard before is silent, which is for another guard', [silent()]],
    ['nothing fails', [passing()]],
  ])('has no objection when %s', (_title, checks) => {
    expect(ask(unproven, { facts: ill({ checks }) })).toBeNull();
  });

  it.each<[string, CheckFact[], string]>([
    [
      'the check that fails never has succeeded',
      [MISTYPED],
      'its "tcp" check has never succeeded: is its target right?',
    ],
    [
      'it has a name',
      [{ ...MISTYPED, name: 'ssh' }],
      'its "tcp" check named "ssh" has never succeeded: is its target right?',
    ],
    ['others pass', [MISTYPED, passing()], 'its "tcp" check has never succeeded: is its target right?'],
    [
      'only a silent agent speaks for it',
      [silent(), MISTYPED],
      'its "tcp" check has never succeeded: is its target right?',
    ],
    [
      'a trusted agent does',
      [{ ...NEVER_HEARD, trusted: true }, MISTYPED],
      'its "tcp" check has never succeeded: is its target right?',
    ],
    ['the agent was never heard', [NEVER_HEARD], 'its "agent" check has never succeeded: is its target right?'],
  ])('objects when %s', (_title, checks, sentence) => {
    expect(ask(unproven, { facts: ill({ checks }) })).toMatchObject({ reason: 'unproven', sentence });
  });

  it('does not object to notifying people', () => {
    expect(ask(unproven, { facts: ill({ checks: [MISTYPED] }), remedy: NOTIFY })).toBeNull();
  });

  it('is not concerned when the hypervisor itself says that the VM is down', () => {
    const remedy = RESET_CRASHED;
    expect(ask(unproven, { facts: ill({ checks: [MISTYPED] }), remedy })).toBeNull();
  });
});
