import { policyAnswer } from '../api/schemas/policies.ts';
import { tickAtOrBefore } from '../domain/grid.ts';
import { createRest } from '../local/rest.ts';
import { until } from '../local/until.ts';
import type { FakeQmp } from '../test/support/fake-qmp.ts';
import { registerVm } from '../test/support/http-vm.ts';
import { Durations, type Report } from './report.ts';
import type { World } from './world.ts';

/** How many fail at once. */
export const POWER_VMS = 20;
const INTERVAL_SECONDS = 5;
const INTERVAL_MS = INTERVAL_SECONDS * 1000;
const FAILURES = 2;
const TAG = 'bench-power';
const WAIT_MS = 90_000;

interface PoweredVm {
  vmId: string;
  /** Its target's path ends in this: the id is known only when the target has been named. */
  readonly label: string;
  readonly qmp: FakeQmp;
  /** Answers served since it was registered, and those that were failures. */
  answers: number;
  failuresAtMs: number[];
}

/** From the first failing answer to system_reset at the hypervisor's socket, while the looks at the other VMs go on. */
export async function measurePower(
  world: World,
  qmps: readonly FakeQmp[],
  others: string,
  report: Report,
): Promise<void> {
  report.heading('From failure to power action');
  report.say(
    `${qmps.length} VMs with an http check every ${INTERVAL_SECONDS} s, failureThreshold ${FAILURES}, and a policy that restarts after ` +
      `${FAILURES} failures; their hypervisors are QMP sockets of the bench. ${others} All ${qmps.length} begin to answer 500 at the same moment.`,
  );
  const rest = createRest(world.apiUrl, world.adminToken);
  const powered = new Map<string, PoweredVm>();
  const stopListening = world.targets.listen(({ label, atMs, ok }) => {
    const vm = powered.get(label);
    if (vm === undefined) return;
    vm.answers++;
    if (!ok) vm.failuresAtMs.push(atMs);
  });
  try {
    const limits = { triggerAfterFailures: FAILURES, cooldownMinutes: 1, maxAttempts: 5 };
    await rest.post('/api/vms/auto-heal/policies', { name: TAG, action: 'restart', tag: TAG, ...limits }, policyAnswer);
    for (const [index, qmp] of qmps.entries()) {
      const label = `${TAG}-${index + 1}`;
      const vm: PoweredVm = { vmId: '', label, qmp, answers: 0, failuresAtMs: [] };
      powered.set(label, vm);
      const target = `http://127.0.0.1:${world.targets.port}/vm/${label}`;
      const registration = { name: label, tags: [TAG], qmpSocket: qmp.path, target, intervalSeconds: INTERVAL_SECONDS };
      vm.vmId = await registerVm(rest, registration);
    }
    const vms = [...powered.values()];
    report.progress('waiting until all of them have been looked at …');
    await untilOrLimit(() => vms.every((vm) => vm.answers >= 3));
    world.targets.setFailing([...powered.keys()], true);
    report.progress('they answer 500 now; waiting for the resets …');
    await untilOrLimit(() => {
      const reset = vms.filter((vm) => resetAtMs(vm) !== undefined).map((vm) => vm.label);
      world.targets.setFailing(reset, false);
      return reset.length === vms.length;
    });
    reportResets(report, vms);
  } finally {
    stopListening();
    world.targets.setFailing([...powered.keys()], false);
  }
}

function resetAtMs({ qmp }: PoweredVm): number | undefined {
  return qmp.commands.find(({ command }) => command === 'system_reset')?.atMs;
}

function reportResets(report: Report, vms: readonly PoweredVm[]): void {
  const done = vms.flatMap((vm) => {
    const atMs = resetAtMs(vm);
    const [first, last] = [vm.failuresAtMs[0], vm.failuresAtMs[FAILURES - 1]];
    if (atMs === undefined || first === undefined || last === undefined) return [];
    return [
      { fromAnswer: atMs - first, fromTick: atMs - tickAtOrBefore(vm.vmId, INTERVAL_MS, first), fromLast: atMs - last },
    ];
  });
  const spread = (manyMs: readonly number[]) => new Durations(manyMs).toString();
  const fromAnswer = spread(done.map((one) => one.fromAnswer));
  report.table(
    [`To system_reset, ${done.length} of ${vms.length} VMs`, 'p50 / p99 / max'],
    [
      ['from the first failing answer', fromAnswer],
      ['from the tick at which that look was due', spread(done.map((one) => one.fromTick))],
      [`from failing answer ${FAILURES}: it is unhealthy`, spread(done.map((one) => one.fromLast))],
    ],
  );
  const lost = vms.filter((vm) => resetAtMs(vm) === undefined).map((vm) => vm.vmId);
  if (lost.length > 0) report.say(`Never reset within ${WAIT_MS / 1000} s: ${lost.join(', ')}`);
  const more = vms.filter((vm) => vm.qmp.received('system_reset') > 1).map((vm) => vm.vmId);
  if (more.length > 0) report.say(`Reset more than once: ${more.join(', ')}`);
  report.add({
    figure: `failure to power action (${INTERVAL_SECONDS} s interval, ${FAILURES} failures), p50 / p99 / max`,
    goal: `all ${vms.length} reset once`,
    measured: `${fromAnswer}, ${done.length} reset`,
    ok: lost.length === 0 && more.length === 0,
  });
}

/** Waits at most `WAIT_MS`; what has not happened by then is reported as missing. */
async function untilOrLimit(done: () => boolean): Promise<void> {
  await until(done, { everyMs: 20, limitMs: WAIT_MS }).catch(() => undefined);
}
