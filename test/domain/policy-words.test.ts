import { expect, it } from 'vitest';
import { POLICY_ACTIONS } from '../../domain/policy.ts';
import { policyInWords } from '../../domain/policy-words.ts';
import { policy } from './examples.ts';

it.each([
  [
    {},
    'When a check about being alive has failed 3 times in a row, over at least 2 of its intervals, it restarts the VM (a reboot where its provider offers one, else a reset). Looks then show for 120 s whether that helped. It does so at most 3 times in 24 h, 10 min apart. After that it does nothing more until the oldest attempt leaves that time, or the attempts are reset.',
  ],
  [
    { triggerAfterFailures: 1, action: 'reset', maxAttempts: 1, escalateAfterAttempts: 0, escalationAction: 'human' },
    'When a check about being alive has failed once, it resets the VM. Looks then show for 120 s whether that helped. It does so at most once in 24 h. After 1 attempt it asks a person to act, and does nothing to the VM.',
  ],
  [
    { unhealthyForSeconds: 600, action: 'notify_only', maxAttempts: 2, escalateAfterAttempts: 5 },
    'When a check about being alive has failed 3 times in a row, over at least 600 s, it tells people, and does nothing to the VM. It does so at most 2 times in 24 h, 10 min apart. After 5 attempts it tells people, and does nothing to the VM.',
  ],
  [
    { triggerAfterFailures: 1, unhealthyForSeconds: 300, action: 'human', maxAttempts: 1 },
    'When a check about being alive has failed for at least 300 s, it asks a person to act, and does nothing to the VM. It does so at most once in 24 h. After that it does nothing more until the oldest attempt leaves that time, or the attempts are reset.',
  ],
  [
    { triggerAfterFailures: 3, unhealthyForSeconds: 0, action: 'human', maxAttempts: 1 },
    'When a check about being alive has failed 3 times in a row, it asks a person to act, and does nothing to the VM. It does so at most once in 24 h. After that it does nothing more until the oldest attempt leaves that time, or the attempts are reset.',
  ],
  [{ enabled: false }, 'It is disabled, and does nothing.'],
] as const)('a policy says what it will do: %o', (given, words) => {
  expect(policyInWords(policy(given))).toBe(words);
});

it('each action has words of its own', () => {
  expect(new Set(POLICY_ACTIONS.map((action) => policyInWords(policy({ action })))).size).toBe(POLICY_ACTIONS.length);
});
