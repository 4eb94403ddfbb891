import type { Policy, PolicyAction } from './policy.ts';

const DOES: Record<PolicyAction, string> = {
  restart: 'restarts the VM (a reboot where its provider offers one, else a reset)',
  reset: 'resets the VM',
  reboot: 'reboots the VM',
  stop: 'stops the VM',
  start: 'starts the VM',
  migrate: 'migrates the VM',
  restart_service: 'restarts the failed service in the VM',
  notify_only: 'tells people, and does nothing to the VM',
  human: 'asks a person to act, and does nothing to the VM',
};

/** What a policy will do, in sentences for people. */
export function policyInWords(policy: Omit<Policy, 'id' | 'createdAtMs'>): string {
  const { action, verifySeconds } = policy;
  if (!policy.enabled) return 'It is disabled, and does nothing.';
  const verifies = isPower(action) ? ` Looks then show for ${verifySeconds} s whether that helped.` : '';
  return `When ${triggerInWords(policy)}, it ${DOES[action]}.${verifies} ${limits(policy)}`;
}

/** What has to be seen before a policy acts: `a check about being alive has failed 3 times in a row, over at least 90 s`. */
export function triggerInWords({
  triggerAfterFailures: times,
  unhealthyForSeconds: seconds,
}: Pick<Policy, 'triggerAfterFailures' | 'unhealthyForSeconds'>): string {
  const check = 'a check about being alive has failed';
  if (times === 1) return seconds ? `${check} for at least ${seconds} s` : `${check} once`;
  const over = seconds === null ? `${times - 1} of its intervals` : `${seconds} s`;
  return `${check} ${times} times in a row${seconds === 0 ? '' : `, over at least ${over}`}`;
}

function limits({
  maxAttempts,
  attemptWindowHours,
  cooldownMinutes,
  escalateAfterAttempts,
  escalationAction,
}: Omit<Policy, 'id' | 'createdAtMs'>): string {
  const times = maxAttempts === 1 ? 'once' : `${maxAttempts} times`;
  const apart = maxAttempts === 1 ? '' : `, ${cooldownMinutes} min apart`;
  const after =
    escalateAfterAttempts === null
      ? ' After that it does nothing more until the oldest attempt leaves that time, or the attempts are reset.'
      : ` After ${attemptsIn(Math.max(maxAttempts, escalateAfterAttempts))} it ${DOES[escalationAction]}.`;
  return `It does so at most ${times} in ${attemptWindowHours} h${apart}.${after}`;
}

function attemptsIn(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function isPower(action: PolicyAction): boolean {
  return action !== 'notify_only' && action !== 'human';
}
