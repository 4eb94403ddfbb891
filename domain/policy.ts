/** What a policy may do to an ill VM. */
export const POLICY_ACTIONS = [
  'restart',
  'stop',
  'notify_only',
  'migrate',
  'reboot',
  'reset',
  'restart_service',
  'start',
  'human',
] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/** A healing policy. It applies to one VM, to the VMs with a tag, or (both null) to all VMs of its tenant. */
export interface Policy {
  id: string;
  name: string;
  enabled: boolean;
  triggerAfterFailures: number;
  action: PolicyAction;
  cooldownMinutes: number;
  maxAttempts: number;
  attemptWindowHours: number;
  notifyOnTrigger: boolean;
  escalateAfterAttempts: number | null;
  escalationAction: PolicyAction;
  /** How long after a remedy looks may show that it helped. */
  verifySeconds: number;
  /** How long a check has to fail as well, from its first failed answer; null = all but one of the failures' intervals. */
  unhealthyForSeconds: number | null;
  vmId: string | null;
  tag: string | null;
  createdAtMs: number;
}

/** What counts where a policy says nothing else. */
export const POLICY_DEFAULTS: Omit<Policy, 'id' | 'name' | 'createdAtMs'> = {
  enabled: true,
  triggerAfterFailures: 3,
  action: 'restart',
  cooldownMinutes: 10,
  maxAttempts: 3,
  attemptWindowHours: 24,
  notifyOnTrigger: true,
  escalateAfterAttempts: null,
  escalationAction: 'notify_only',
  verifySeconds: 120,
  unhealthyForSeconds: null,
  vmId: null,
  tag: null,
};

export interface PolicySubject {
  vmId: string;
  tags: readonly string[];
}

/** Where a value of an effective policy comes from. */
export interface PolicySource {
  level: 'vm' | 'tag' | 'tenant';
  policyId: string;
}

/** The policy that counts for a VM, and where each of its values comes from. */
export interface EffectivePolicy {
  policy: Policy;
  sources: { readonly [Value in keyof Policy]: PolicySource };
}

/**
 * Of several enabled policies the most specific (VM, tag, tenant) counts, whole, then the oldest; null when none applies.
 * `policies` may hold others that don't apply.
 */
export function effectivePolicy(subject: PolicySubject, policies: readonly Policy[]): EffectivePolicy | null {
  const applying = policies.flatMap((policy) => {
    const level = policy.enabled ? levelOf(policy, subject) : null;
    return level === null ? [] : [{ policy, level }];
  });
  applying.sort(
    (a, b) =>
      SPECIFICITY[b.level] - SPECIFICITY[a.level] ||
      a.policy.createdAtMs - b.policy.createdAtMs ||
      (a.policy.id < b.policy.id ? -1 : 1),
  );
  const [first] = applying;
  if (first === undefined) return null;
  const source: PolicySource = { level: first.level, policyId: first.policy.id };
  const sources = Object.fromEntries(Object.keys(first.policy).map((value) => [value, source]));
  return { policy: first.policy, sources: sources as EffectivePolicy['sources'] };
}

const SPECIFICITY: Record<PolicySource['level'], number> = { vm: 3, tag: 2, tenant: 1 };

function levelOf(policy: Policy, subject: PolicySubject): PolicySource['level'] | null {
  if (policy.vmId !== null) return policy.vmId === subject.vmId ? 'vm' : null;
  if (policy.tag !== null) return subject.tags.includes(policy.tag) ? 'tag' : null;
  return 'tenant';
}

const HOUR_MS = 3_600_000;
const DEFAULT_WINDOW_HOURS = 24;

/**
 * Since when attempts count, epoch ms: the beginning of the policy's window (of 24 h without a policy), or the time at
 * which a person reset them.
 */
export function attemptsCountSince(
  policy: Pick<Policy, 'attemptWindowHours'> | null,
  attemptsResetAtMs: number | null,
  nowMs: number,
): number {
  const windowMs = (policy?.attemptWindowHours ?? DEFAULT_WINDOW_HOURS) * HOUR_MS;
  return Math.max(nowMs - windowMs, attemptsResetAtMs ?? 0);
}

/** The failures in a row of a check about being alive. */
export interface FailuresInARow {
  consecutiveFailures: number;
  /** From the first to the last of them; null = not known, from before this was measured. */
  failingForMs: number | null;
  /** Of the check. */
  intervalMs: number;
}

/**
 * How long a check has to fail before the policy acts, in ms, from its first failed answer. By default that is as long as the
 * failures take at the check's interval, so that a quicker pace while it fails resets no VM in the midst of an ordinary reboot.
 */
export function mustFailForMs(
  { unhealthyForSeconds, triggerAfterFailures }: Pick<Policy, 'unhealthyForSeconds' | 'triggerAfterFailures'>,
  intervalMs: number,
): number {
  return unhealthyForSeconds === null ? (triggerAfterFailures - 1) * intervalMs : unhealthyForSeconds * 1000;
}

/** Whether these failures trigger the policy: enough of them, over long enough a time. */
export function triggers(policy: Policy, { consecutiveFailures, failingForMs, intervalMs }: FailuresInARow): boolean {
  if (consecutiveFailures < policy.triggerAfterFailures) return false;
  return failingForMs === null || failingForMs >= mustFailForMs(policy, intervalMs);
}

/** The reason of an ordinary trigger, as heal events give it. */
export function triggerReason(consecutiveFailures: number): string {
  return `${consecutiveFailures} consecutive failures`;
}
