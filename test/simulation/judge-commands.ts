import type { PowerAction, PowerState } from '../../domain/power.ts';
import type { PowerCommand } from '../scenarios/world/fake-site.ts';
import { settingsOf } from '../support/settings.ts';
import { type Plan, slowestOf } from './plan.ts';
import type { Played } from './played.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import type { StoredOperation } from './stored-operations.ts';

const SECOND_MS = 1_000;
/** As activities/heal/carry-out.ts promises. */
const SEND_WITHIN_MS = 2_000;

/** Each command that reached the hypervisor of a VM is that of one operation, which says so, and which was wanted. */
export function judgeCommands(world: SimulatedWorld, vm: number, stored: StoredOperation[], played: Played): string[] {
  const used = new Set<string>();
  const wrong = world.site.commandsOf(vm).flatMap((command) => {
    const { atMs, action } = command;
    const what = `VM ${vm} was sent ${action} at ${new Date(atMs).toISOString()}`;
    const operation = stored
      .filter(({ sentAtMs, power }) => sentAtMs !== null && sentAtMs <= atMs && power === action)
      .toSorted((a, b) => (a.sentAtMs ?? 0) - (b.sentAtMs ?? 0))
      .at(-1);
    if (operation === undefined) return [`${what}, by no operation`];
    if (used.has(operation.id)) return [`${what} a second time, by operation ${operation.id}`];
    used.add(operation.id);
    return [
      ...bannedBy(vm, command, operation, played),
      ...unwantedIn(command),
      ...(operation.cause === 'unresponsive' ? falselyAccused(vm, command, played) : []),
      ...(operation.state === 'abandoned' ? [`by operation ${operation.id}, which says that it was not sent`] : []),
      ...(atMs - (operation.sentAtMs ?? 0) > SEND_WITHIN_MS
        ? ['long after it might be, for its sender stood still']
        : []),
    ].map((why) => `${what}, ${why}`);
  });
  const readBacks = world.site.vms[vm]?.readBacksAtMs ?? [];
  const unfounded = stored.filter(
    ({ id, power, state, presumed, sentAtMs }) =>
      power !== null &&
      state === 'done' &&
      !presumed &&
      !used.has(id) &&
      !readBacks.some((atMs) => atMs >= (sentAtMs ?? Number.POSITIVE_INFINITY)),
  );
  return [...wrong, ...unfounded.map(({ id }) => `operation ${id} is done, though it never reached the hypervisor`)];
}

function bannedBy(vm: number, { tick }: PowerCommand, operation: StoredOperation, { bans }: Played): string[] {
  return bans
    .filter(
      (ban) =>
        ban.vm === vm &&
        ban.fromMs < tick &&
        (ban.untilMs === null || tick < ban.untilMs) &&
        !ban.sentBefore.has(operation.id),
    )
    .map(({ why }) => `which was ${why}`);
}

/** What may be done to a VM that its hypervisor says is so; a VM whose memory is there is never reset. */
const WANTED_IN: Partial<Record<PowerState, readonly PowerAction[]>> = {
  paused: ['resume', 'stop'],
  'storage-failed': ['resume', 'stop'],
  off: ['start', 'stop'],
  suspended: [],
  saving: [],
  restoring: [],
  migrating: [],
  debugging: [],
  unknown: [],
};

function unwantedIn({ power, action }: PowerCommand): string[] {
  const wanted = WANTED_IN[power];
  return wanted === undefined || wanted.includes(action) ? [] : [`which was ${power}`];
}

/** How long failures may be the reason for a reset: three intervals and a timeout, and time to decide and send. */
const DECIDES_MS = 60 * SECOND_MS;
const INTERVALS = 3;

/** Because checks failed, though every look that mattered found the VM up; or because they failed before it was started. */
function falselyAccused(vm: number, { atMs, notUpAtMs }: PowerCommand, { plan, starts }: Played): string[] {
  const { intervalSeconds, timeoutSeconds } = slowestOf(plan, vm);
  const matters = atMs - (INTERVALS * intervalSeconds + timeoutSeconds) * SECOND_MS - DECIDES_MS;
  // a worker whose clock is ahead, as far as that is tolerated, sees it end so much earlier
  const graceMs = settingsOf().BOOT_GRACE_SECONDS * SECOND_MS - mostAheadMs(plan);
  const start = starts.find((one) => one.vm === vm && one.atMs <= atMs && atMs < one.atMs + graceMs);
  return [
    ...(notUpAtMs < matters ? [`though no look had found it other than up since ${at(notUpAtMs)}`] : []),
    ...(start ? [`though somebody had started it at ${at(start.atMs)}`] : []),
  ];
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}

function mostAheadMs({ faults }: Plan): number {
  return Math.max(0, ...faults.map((fault) => (fault.kind === 'clock-off' ? fault.ms : 0)));
}
