import type { PolicyAction } from '../../domain/policy.ts';
import type { PowerState } from '../../domain/power.ts';
import type { Manner } from '../scenarios/world/fake-site.ts';

/** Activities whose answers may be lost, late or never made; `act` = the next decision to act. */
export const ACTIVITIES = [
  'watch',
  'storePause',
  'openIncident',
  'askProvider',
  'decide',
  'carryOut',
  'readBack',
  'resolveOperation',
  'verify',
  'act',
] as const;
export type ActivityName = (typeof ACTIVITIES)[number];

/** What goes wrong, or what people do, at one moment to one VM (`vm` is its place in the plan) or to all of Defib. */
export type Fault =
  | { kind: 'hang'; vm: number; slowly: boolean }
  | { kind: 'recover'; vm: number }
  | { kind: 'power-state'; vm: number; state: PowerState; forMs: number }
  | { kind: 'storage'; vm: number; forMs: number }
  | { kind: 'resets-do-not-help'; vm: number; forMs: number }
  | { kind: 'boots'; vm: number; ms: number }
  | { kind: 'flap'; vm: number; well: number; badly: number; forMs: number }
  | { kind: 'blind'; vm: number; forMs: number }
  | { kind: 'agent-dies'; vm: number; forMs: number }
  | { kind: 'provider-away'; vm: number; forMs: number }
  | { kind: 'provider-slow'; vm: number; ms: number; forMs: number }
  | { kind: 'refuses'; vm: number; forMs: number }
  | { kind: 'next-power'; vm: number; manner: Manner }
  | { kind: 'mistype'; vm: number; forMs: number }
  | { kind: 'pause'; vm: number; by: 'api' | 'signal'; forMs: number }
  | { kind: 'stop-on-purpose'; vm: number; forMs: number }
  | { kind: 'delete'; vm: number }
  | { kind: 'edit-check'; vm: number; intervalSeconds: number }
  | { kind: 'edit-policy'; vm: number; triggerAfterFailures: number }
  | { kind: 'reset-attempts'; vm: number }
  | { kind: 'look-now'; vm: number }
  | { kind: 'renew'; vm: number }
  /** Somebody terminates them: its own workflow, or also its heal. */
  | { kind: 'workflows-lost'; vm: number; which: 'vm' | 'heal' | 'both' }
  | { kind: 'answer-lost'; vm: number; activity: ActivityName }
  | { kind: 'answer-late'; vm: number; activity: ActivityName; ms: number }
  | { kind: 'never-begun'; vm: number; activity: ActivityName }
  | { kind: 'frozen'; vm: number; activity: ActivityName; ms: number }
  | { kind: 'frozen-after-move'; vm: number; ms: number }
  | { kind: 'database-away'; forMs: number }
  | { kind: 'database-silent'; answersOnly: boolean; forMs: number }
  /** So long each answer takes; none of looks, whose statements are shared. */
  | { kind: 'database-slow'; ms: number; forMs: number }
  | { kind: 'temporal-away'; forMs: number }
  | { kind: 'unmanned'; forMs: number }
  | { kind: 'clock-off'; ms: number; forMs: number };
export type FaultKind = Fault['kind'];
export type TimedFault = Fault & { atMs: number };

/** What people go on doing when nothing goes wrong any more. */
export interface Act {
  atMs: number;
  vm: number;
  /** Its workflow continues as a new run; `renew-and-look`: with a look asked for a moment before. */
  kind: 'renew' | 'renew-and-look';
}

/** How a VM is watched and healed. */
export interface PlannedVm {
  intervalSeconds: number;
  /** Absent in stories that were found before there was a pace of its own. */
  retryIntervalSeconds?: number | null;
  timeoutSeconds: number;
  failureThreshold: number;
  successThreshold: number;
  withPing: boolean;
  withAgent: boolean;
  withCertificate: boolean;
  keepRunning: boolean;
  policy: {
    action: PolicyAction;
    triggerAfterFailures: number;
    cooldownMinutes: number;
    maxAttempts: number;
    escalateAfterAttempts: number | null;
    verifySeconds: number;
    unhealthyForSeconds?: number | null;
  };
}

/** One play: everything in it follows from the seed. Times are since its beginning. */
export interface Plan {
  seed: number;
  vms: PlannedVm[];
  /** How likely each kind of fault is, relative to the others. */
  weights: Record<FaultKind, number>;
  faults: TimedFault[];
  /** From then on nothing goes wrong any more, and what went wrong is undone. */
  quietMs: number;
  acts: Act[];
  endMs: number;
}

/** Attempts count for this long. */
export const ATTEMPT_WINDOW_HOURS = 1;

/** The longest interval that a VM has in a play, and its timeout. */
export function slowestOf(
  { vms, faults }: Pick<Plan, 'vms' | 'faults'>,
  vm: number,
): { intervalSeconds: number; timeoutSeconds: number } {
  const { intervalSeconds, timeoutSeconds } = vms[vm]!;
  const edits = faults.flatMap((one) => (one.kind === 'edit-check' && one.vm === vm ? [one.intervalSeconds] : []));
  return { intervalSeconds: Math.max(intervalSeconds, ...edits), timeoutSeconds };
}
