import type { ExpectStatic } from 'vitest';
import { z } from 'zod';
import { healEventAnswer, incidentListAnswer } from '../../../api/schemas/heals.ts';
import { healthAnswer } from '../../../api/schemas/health.ts';
import { policyAnswer } from '../../../api/schemas/policies.ts';
import { registerVm } from '../../support/http-vm.ts';
import { vmReport } from './vm-report.ts';
import type { VmWorld } from './vm-world.ts';

/** For `expect.poll`: a busy machine only makes tests slower. */
export const PATIENT = { timeout: 400_000, interval: 300 };

/** Long enough for a reset guest to serve again, also when several boot at once on two busy cores; costs nothing. */
export const VERIFY_SECONDS = 400;
/** The shortest that the API takes for this check: for remedies that came to nothing. */
export const SHORT_VERIFY_SECONDS = 5;

/** An operation as people are told of it, and how often QEMU reset the VM for it. */
export interface OperationTold {
  action: string;
  state: string;
  detail: string | null;
  resets: number;
  /** Its result in the history of heal events. */
  event: string | undefined;
}

/** The VM of a world, registered and healthy, and what REST says of it. */
export type WatchedVm = Awaited<ReturnType<typeof watchVm>>;

/** Registers the world's VM and waits until it is healthy; a worker must be running. It is restarted by a policy. */
export async function watchVm({ rest, vm }: VmWorld, name: string, verifySeconds: number, expect: ExpectStatic) {
  const { qmpSocket } = vm;
  const vmId = await registerVm(rest, { name, qmpSocket, target: `${vm.url}/health`, intervalSeconds: 3 });
  const health = () => rest.get(`/api/vms/${vmId}/health`, healthAnswer);
  const incidents = async () => (await rest.get(`/api/vms/${vmId}/incidents`, incidentListAnswer)).incidents;
  const setPolicy = async (policy: object) =>
    (await rest.post('/api/vms/auto-heal/policies', policy, policyAnswer)).body.id;
  await expect.poll(health, PATIENT).toMatchObject({ status: 'healthy' });
  const policyId = await setPolicy({
    name: 'restart',
    action: 'restart',
    triggerAfterFailures: 2,
    cooldownMinutes: 0,
    maxAttempts: 20,
    verifySeconds,
  });

  /** In the order in which they were decided. */
  async function operations(): Promise<OperationTold[]> {
    const known = (await incidents()).flatMap((incident) => incident.operations);
    const events = await rest.get(`/api/vms/${vmId}/auto-heal/history`, z.array(healEventAnswer));
    return known.map(({ id, action, state, detail }) => ({
      action,
      state,
      detail,
      resets: resetsFor(id, known, vm.resetTimes()),
      event: events.find(({ operationId }) => operationId === id)?.result,
    }));
  }

  return {
    health,
    operations,
    /** Decisions to do nothing, with the facts that they were made from. */
    holds: async () =>
      (await incidents()).flatMap(({ steps }) => steps).flatMap((step) => (step.kind === 'hold' ? [step] : [])),
    setVerifySeconds: (seconds: number) => setPolicy({ id: policyId, verifySeconds: seconds }),
    /** Until its only incident is closed because it is well. */
    async untilRecovered(): Promise<void> {
      await expect.poll(incidents, PATIENT).toMatchObject([{ closedAt: expect.any(String), outcome: 'recovered' }]);
      await expect.poll(health, PATIENT).toMatchObject({ status: 'healthy' });
      expect(await vm.health(10_000)).toBe(200);
    },
    report: () => vmReport(rest, vmId, vm),
  };
}

interface Sent {
  id: string;
  sentAt: string | null;
}

/** The resets that QEMU did after this operation was marked as sent, and before the next one was. */
function resetsFor(id: string, operations: readonly Sent[], resetTimes: readonly number[]): number {
  const sent = operations
    .flatMap((operation) =>
      operation.sentAt === null ? [] : [{ id: operation.id, atMs: Date.parse(operation.sentAt) }],
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  return resetTimes.filter((atMs) => sent.findLast((operation) => operation.atMs <= atMs)?.id === id).length;
}
