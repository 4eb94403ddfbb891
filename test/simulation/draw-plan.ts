import fc from 'fast-check';
import type { PolicyAction } from '../../domain/policy.ts';
import type { PowerState } from '../../domain/power.ts';
import type { Manner } from '../scenarios/world/fake-site.ts';
import {
  ACTIVITIES,
  type Act,
  type Fault,
  type FaultKind,
  type Plan,
  type PlannedVm,
  type TimedFault,
} from './plan.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** They decide and act: what is lost there matters most. */
const HEALING = ['act', 'carryOut', 'resolveOperation'] as const;

/** Long enough for attempts to leave their window, cooldowns and verifications to end, and VMs to be healed after that. */
const CONVERGES_MS = 80 * MINUTE;

const seconds = (min: number, max: number) => fc.integer({ min, max }).map((n) => n * SECOND);
const lasting = fc.oneof(seconds(5, 120), seconds(120, 1_800));
const someVm = (vms: number) => ({ vm: fc.nat({ max: vms - 1 }) });

function anyVm(): fc.Arbitrary<PlannedVm> {
  return fc
    .record({
      intervalSeconds: fc.constantFrom(20, 60, 60, 120, 300),
      timeoutShare: fc.constantFrom(0.2, 0.5, 1),
      failureThreshold: fc.integer({ min: 1, max: 3 }),
      successThreshold: fc.integer({ min: 1, max: 2 }),
      withPing: fc.boolean(),
      withAgent: fc.boolean(),
      withCertificate: fc.boolean(),
      keepRunning: fc.boolean(),
      policy: fc.record({
        action: fc.constantFrom<PolicyAction>(
          'restart',
          'restart',
          'restart',
          'reset',
          'start',
          'stop',
          'notify_only',
          'migrate',
        ),
        triggerAfterFailures: fc.integer({ min: 1, max: 4 }),
        cooldownMinutes: fc.integer({ min: 0, max: 10 }),
        maxAttempts: fc.integer({ min: 1, max: 5 }),
        escalateAfterAttempts: fc.option(fc.integer({ min: 1, max: 5 })),
        verifySeconds: fc.integer({ min: 30, max: 180 }),
      }),
    })
    .map(({ timeoutShare, ...vm }) => {
      const timeoutSeconds = Math.max(1, Math.min(30, Math.floor(vm.intervalSeconds * timeoutShare)));
      const verifySeconds = Math.max(vm.policy.verifySeconds, vm.intervalSeconds + timeoutSeconds);
      // from what is drawn already, so that a seed plays the same story as before
      const retryIntervalSeconds = vm.withCertificate ? Math.max(5, Math.floor(vm.intervalSeconds / 4)) : null;
      const unhealthyForSeconds = vm.withCertificate && vm.keepRunning ? vm.intervalSeconds : null;
      const policy = { ...vm.policy, verifySeconds, unhealthyForSeconds };
      return { ...vm, timeoutSeconds, retryIntervalSeconds, policy };
    });
}

const POWER_STATES: readonly PowerState[] = [
  'paused',
  'off',
  'panicked',
  'dumping',
  'suspended',
  'saving',
  'restoring',
  'migrating',
  'debugging',
  'starting',
  'unknown',
];

/** Each kind of fault. */
function anyFaultOf(vms: number): { [Kind in FaultKind]: fc.Arbitrary<Fault & { kind: Kind }> } {
  const of = <Kind extends FaultKind>(kind: Kind, more: object) =>
    fc.record({ kind: fc.constant(kind), ...more }) as unknown as fc.Arbitrary<Fault & { kind: Kind }>;
  const vm = someVm(vms);
  const activity = fc.constantFrom(...ACTIVITIES, ...HEALING, ...HEALING);
  return {
    hang: of('hang', { ...vm, slowly: fc.boolean() }),
    recover: of('recover', vm),
    'power-state': of('power-state', { ...vm, state: fc.constantFrom(...POWER_STATES), forMs: lasting }),
    storage: of('storage', { ...vm, forMs: lasting }),
    'resets-do-not-help': of('resets-do-not-help', { ...vm, forMs: lasting }),
    boots: of('boots', { ...vm, ms: seconds(1, 240) }),
    flap: of('flap', {
      ...vm,
      well: fc.integer({ min: 1, max: 4 }),
      badly: fc.integer({ min: 1, max: 4 }),
      forMs: lasting,
    }),
    blind: of('blind', { ...vm, forMs: lasting }),
    'agent-dies': of('agent-dies', { ...vm, forMs: lasting }),
    'provider-away': of('provider-away', { ...vm, forMs: lasting }),
    'provider-slow': of('provider-slow', { ...vm, ms: fc.integer({ min: 200, max: 5_000 }), forMs: lasting }),
    refuses: of('refuses', { ...vm, forMs: lasting }),
    'next-power': of('next-power', {
      ...vm,
      manner: fc.constantFrom<Manner>(
        'acts-then-drops',
        'drops-then-nothing',
        'ignores',
        'refuses',
        'worker-dies-before',
        'worker-dies-after',
      ),
    }),
    mistype: of('mistype', { ...vm, forMs: lasting }),
    pause: of('pause', { ...vm, by: fc.constantFrom('api', 'signal'), forMs: lasting }),
    'stop-on-purpose': of('stop-on-purpose', { ...vm, forMs: lasting }),
    delete: of('delete', vm),
    'edit-check': of('edit-check', { ...vm, intervalSeconds: fc.constantFrom(20, 60, 300) }),
    'edit-policy': of('edit-policy', { ...vm, triggerAfterFailures: fc.integer({ min: 1, max: 4 }) }),
    'reset-attempts': of('reset-attempts', vm),
    'look-now': of('look-now', vm),
    renew: of('renew', vm),
    'workflows-lost': of('workflows-lost', { ...vm, which: fc.constantFrom('vm', 'heal', 'both') }),
    'answer-lost': of('answer-lost', { ...vm, activity }),
    'answer-late': of('answer-late', { ...vm, activity, ms: seconds(1, 40) }),
    'never-begun': of('never-begun', { ...vm, activity }),
    frozen: of('frozen', { ...vm, activity, ms: seconds(1, 60) }),
    'frozen-after-move': of('frozen-after-move', { ...vm, ms: seconds(3, 60) }),
    'database-away': of('database-away', { forMs: seconds(1, 60) }),
    'database-silent': of('database-silent', { answersOnly: fc.boolean(), forMs: seconds(1, 60) }),
    // two answers are within the 2 s in which an action is sent; `frozen-after-move` is longer
    'database-slow': of('database-slow', { ms: fc.integer({ min: 20, max: 900 }), forMs: lasting }),
    'temporal-away': of('temporal-away', { forMs: seconds(1, 300) }),
    unmanned: of('unmanned', { forMs: seconds(30, 600) }),
    'clock-off': of('clock-off', { ms: fc.integer({ min: -1_900, max: 1_900 }), forMs: lasting }),
  };
}

/** At most so many faults an hour and VM: with more, VMs are never well between them. */
const MAX_FAULTS_AN_HOUR = 12;

/** Every kind of fault. */
export const FAULT_KINDS = Object.keys(anyFaultOf(1)) as FaultKind[];

/** The play of a seed. */
export function planOf(seed: number, { hours, vms }: { hours: number; vms: number }): Plan {
  const quietMs = hours * HOUR;
  const faultOf = anyFaultOf(vms);
  const anyPlan = fc
    .record({
      vms: fc.array(anyVm(), { minLength: vms, maxLength: vms }),
      weights: fc.tuple(...FAULT_KINDS.map((kind) => anyWeight(kind))),
      count: fc.integer({ min: 4, max: Math.max(4, Math.round(MAX_FAULTS_AN_HOUR * hours * vms)) }),
      endsAt: fc.double({ min: 0.5, max: 1, noNaN: true }),
    })
    .chain(({ weights, count, endsAt, ...plan }) => {
      const chosen = FAULT_KINDS.map((kind, index) => ({
        weight: weights[index] ?? 0,
        arbitrary: faultOf[kind] as fc.Arbitrary<Fault>,
      }));
      const untilMs = Math.round(quietMs * endsAt);
      const timed = fc.record({
        fault: fc.oneof(...chosen),
        atMs: fc.integer({ min: 0, max: untilMs - 1 }),
        soonAfter: fc.option(fc.integer({ min: 0, max: 3_000 }), { freq: 2 }),
      });
      const faults = fc
        .array(timed, { minLength: count, maxLength: count, size: 'max' })
        .map((drawn) => inTime(drawn, untilMs));
      return fc.record({ faults, acts: anyActs(vms, untilMs) }).map((drawn) => {
        return { ...plan, ...drawn, weights, quietMs: untilMs };
      });
    });
  // without bias: small values are no likelier here to find anything
  const [plan] = fc.sample(fc.noBias(anyPlan), { seed, numRuns: 1 });
  if (plan === undefined) throw new Error(`no plan of seed ${seed}`);
  const weights = Object.fromEntries(
    FAULT_KINDS.map((kind, index) => [kind, plan.weights[index] ?? 0]),
  ) as Plan['weights'];
  return { ...plan, weights, seed, endMs: plan.quietMs + CONVERGES_MS };
}

/** Many faults come soon after the one before: what goes wrong together is what nobody thought of. */
function inTime(drawn: { fault: Fault; atMs: number; soonAfter: number | null }[], beforeMs: number): TimedFault[] {
  let lastMs = 0;
  const timed = drawn.map(({ fault, atMs, soonAfter }): TimedFault => {
    lastMs = soonAfter === null ? atMs : Math.min(lastMs + soonAfter, beforeMs - 1);
    return { ...fault, atMs: lastMs };
  });
  return timed.toSorted((a, b) => a.atMs - b.atMs);
}

const ACTS_OF_A_VM = 3;
/** Soon after the faults, when VMs are healed, and late. */
const ACTS_WITHIN_MS = [6 * MINUTE, 20 * MINUTE, 70 * MINUTE];

function anyActs(vms: number, quietMs: number): fc.Arbitrary<Act[]> {
  const act = (vm: number, withinMs: number) =>
    fc.record({
      vm: fc.constant(vm),
      atMs: fc.integer({ min: 1_000, max: withinMs }).map((ms) => quietMs + ms),
      kind: fc.constantFrom<Act['kind']>('renew', 'renew-and-look'),
    });
  const acts = Array.from({ length: vms * ACTS_OF_A_VM }, (_, index) =>
    act(Math.floor(index / ACTS_OF_A_VM), ACTS_WITHIN_MS[index % ACTS_OF_A_VM] ?? 0),
  );
  return fc.tuple(...acts).map((all) => all.toSorted((a, b) => a.atMs - b.atMs));
}

const OF_CALLS: ReadonlySet<FaultKind> = new Set([
  'answer-lost',
  'answer-late',
  'never-begun',
  'frozen',
  'frozen-after-move',
]);

/** Some plays have none of a kind, others much of it. What ends a VM's life is rare. */
function anyWeight(kind: FaultKind): fc.Arbitrary<number> {
  if (kind === 'hang') return fc.constantFrom(6, 12, 24);
  if (kind === 'delete') return fc.constantFrom(0, 1);
  if (OF_CALLS.has(kind)) return fc.constantFrom(0, 3, 6, 12);
  return fc.constantFrom(0, 1, 2, 6);
}
