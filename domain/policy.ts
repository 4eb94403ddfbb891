/** What a policy may do to an ill VM, spec C "Policy". */
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
  vmId: string | null;
  tag: string | null;
  createdAtMs: number;
}

export interface PolicySubject {
  vmId: string;
  tags: readonly string[];
}

/** Of several enabled policies the most specific (VM, tag, tenant) counts, then the oldest; null when none applies. */
export function policyFor(subject: PolicySubject, policies: readonly Policy[]): Policy | null {
  const applying = policies.filter((policy) => policy.enabled && specificity(policy, subject) > 0);
  applying.sort(
    (a, b) =>
      specificity(b, subject) - specificity(a, subject) || a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1),
  );
  return applying[0] ?? null;
}

function specificity(policy: Policy, subject: PolicySubject): number {
  if (policy.vmId !== null) return policy.vmId === subject.vmId ? 3 : 0;
  if (policy.tag !== null) return subject.tags.includes(policy.tag) ? 2 : 0;
  return 1;
}

/** Whether an ill VM asks for this policy: its worst check has failed often enough in a row. */
export function triggers(policy: Policy, consecutiveFailures: number): boolean {
  return consecutiveFailures >= policy.triggerAfterFailures;
}

/** Spec C's sentence for an ordinary trigger. */
export function triggerReason(consecutiveFailures: number): string {
  return `${consecutiveFailures} consecutive failures`;
}
