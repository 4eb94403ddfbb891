import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { healEventAnswer, incidentListAnswer } from '../../api/schemas/heals.ts';
import { healthAnswer, historyAnswer } from '../../api/schemas/health.ts';
import { policyAnswer, policyListAnswer } from '../../api/schemas/policies.ts';
import { vmListAnswer } from '../../api/schemas/vms.ts';
import { healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { createRest, type Rest } from '../../local/rest.ts';
import { type DefibProcess, freePorts, type Ports, startDefib } from '../support/defib-process.ts';
import { registerVm } from '../support/http-vm.ts';
import { killProcessesOf, processesOf } from '../support/processes-of.ts';
import { describeNeeding } from '../support/requirements.ts';
import { statusesOnRecord, watchOf } from './support/temporal-record.ts';
import { vmReport } from './support/vm-report.ts';
import { startTestVm, type TestVm } from './vm/start-test-vm.ts';

const LONG_MS = 540_000;
/** No second chance: a reset too many would be forgiven by it. */
const ONCE = { timeout: LONG_MS, retry: 0 };
const PATIENT = { timeout: 400_000, interval: 300 };
/** For the test alone: a VM that is paused at its hypervisor is left so for a moment only. */
const SETTINGS = { PAUSED_GRACE_SECONDS: 10 };

describeNeeding(['qemu', 'temporal'], 'npm start, with a VM that hangs', () => {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'defib-story-')));
  let ports: Ports;
  let defib: DefibProcess;
  let rest: Rest;
  let token: string;
  let vm: TestVm;
  let vmId: string;

  beforeAll(async () => {
    ports = await freePorts();
    defib = startDefib('npm start', dataDir, ports, SETTINGS);
    vm = await startTestVm({ dir: join(dataDir, 'qmp'), name: 'story', bootLimitMs: 180_000 });
  }, LONG_MS);

  afterAll(async () => {
    await killProcessesOf(dataDir);
    await vm?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }, LONG_MS);

  const vms = async () => (await rest.get('/api/vms', vmListAnswer)).vms;
  const healthOf = (id: string) => rest.get(`/api/vms/${id}/health`, healthAnswer);
  const healEvents = () => rest.get(`/api/vms/${vmId}/auto-heal/history`, z.array(healEventAnswer));
  const incident = async (number: number) =>
    (await rest.get(`/api/vms/${vmId}/incidents`, incidentListAnswer)).incidents.find((one) => one.incident === number);

  async function onTemporal<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: `127.0.0.1:${ports.TEMPORAL_PORT}` });
    try {
      return await ask(new Client({ connection }));
    } finally {
      await connection.close();
    }
  }

  /** Waits until incident `number` is over; answers it, and how often the VM was reset meanwhile. */
  async function healedFrom(number: number, hang: () => Promise<unknown>) {
    const resetsBefore = vm.resets();
    await hang();
    try {
      await expect.poll(() => incident(number), PATIENT).toMatchObject({ closedAt: expect.any(String) });
    } catch (error) {
      const watch = await onTemporal((client) => watchOf(client, vmId));
      throw new Error(`${JSON.stringify(watch)}\n${defib.err()}\n${await vmReport(rest, vmId, vm)}`, { cause: error });
    }
    return { incident: (await incident(number))!, resets: vm.resets() - resetsBefore };
  }

  test('tells where everything is, and how to get in', ONCE, async () => {
    const [, api] = await defib.said(/^\s*API\s+(http:\S+)/m);
    const [, ui] = await defib.said(/^\s*Web UI\s+(http:\S+)/m);
    token = (await defib.said(/^\s*Token\s+(\S+)/m))[1]!;
    rest = createRest(api!, token);
    expect(api).toBe(`http://127.0.0.1:${ports.PORT}`);
    expect((await fetch(ui!)).status).toBe(200);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'admin-token')).mode & 0o777).toBe(0o600);
    await defib.said(/This machine is registered as the first VM and healthy/);
    expect(await vms()).toMatchObject([{ provider: { kind: 'local' }, health: 'healthy', status: 'HEALTHY' }]);
  });

  test('answers /health, /metrics and /openapi.json', async () => {
    expect(JSON.parse((await rest.raw('/health')).text)).toMatchObject({ status: 'ok' });
    expect((await rest.raw('/metrics')).text).toMatch(/^defib_vms_unwatched(\{.*\})? \d+$/m);
    const description = JSON.parse((await rest.raw('/openapi.json')).text);
    expect(description.openapi).toMatch(/^3\./);
    expect(Object.keys(description.paths)).toContain('/api/vms');
  });

  test('watches a VM that is registered as the README says', ONCE, async () => {
    vmId = await registerVm(rest, {
      name: 'story',
      qmpSocket: vm.qmpSocket,
      target: `${vm.url}/health`,
      intervalSeconds: 5,
    });
    const policy = { name: 'restart', action: 'restart', triggerAfterFailures: 2, cooldownMinutes: 1, maxAttempts: 5 };
    const made = await rest.post('/api/vms/auto-heal/policies', policy, policyAnswer);
    expect(made).toMatchObject({ status: 201, body: { enabled: true, ...policy } });
    // for the test alone: no minute between two heals, and time to boot on a busy machine before a second reset
    const patience = { id: made.body.id, cooldownMinutes: 0, verifySeconds: 600 };
    await rest.post('/api/vms/auto-heal/policies', patience, policyAnswer);
    await expect.poll(async () => (await healthOf(vmId)).status, PATIENT).toBe('healthy');
    await expect
      .poll(() => onTemporal((client) => watchOf(client, vmId)), PATIENT)
      .toMatchObject({
        status: 'RUNNING',
        vmStatus: 'healthy',
        pending: ['watch'],
        line: expect.stringMatching(/^healthy · http 200 \d+ ms$/),
      });
  });

  test('resets it once when its service stops answering', ONCE, async () => {
    const hungAt = new Date().toISOString();
    const { incident, resets } = await healedFrom(1, () => vm.hang());
    expect(resets).toBe(1);
    expect(await vm.health(10_000)).toBe(200);
    expectOneReset(incident, /^system_reset: announced, running$/);

    const [event] = await healEvents();
    expect(event).toMatchObject({ incident: 1, action: 'restart', result: 'success', errorMessage: null });
    expect(event).toMatchObject({ reason: reasonOf(incident), previousStatus: 'unhealthy', newStatus: 'healthy' });
    const health = await healthOf(vmId);
    expect(health).toMatchObject({ status: 'healthy', autoHealAttempts: 1 });
    expect(health.lastUnhealthyAt! > hungAt && health.lastHealthyAt! > health.lastUnhealthyAt!).toBe(true);
    const history = await rest.get(`/api/vms/${vmId}/health/history?limit=100`, historyAnswer);
    expect(history.unhealthyChecks).toBeGreaterThanOrEqual(2);
    const failed = history.results.find((result) => result.status === 'unhealthy');
    expect(failed).toMatchObject({ checkType: 'http', reason: expect.any(String), errorMessage: expect.any(String) });
    expect(history.results.some((result) => result.status === 'healthy')).toBe(true);
  });

  test('leaves its history in Temporal', ONCE, async () => {
    await expect
      .poll(() => onTemporal((client) => watchOf(client, vmId)), PATIENT)
      .toMatchObject({ vmStatus: 'healthy', pending: ['watch'], line: expect.stringMatching(/^healthy · http 200/) });
    await onTemporal(async (client) => {
      const record = await statusesOnRecord(client, vmWorkflowId(vmId));
      expect(record.slice(-2)).toEqual(['unhealthy', 'healthy']);
      const heal = client.workflow.getHandle(healWorkflowId(vmId, 1));
      await expect.poll(async () => (await heal.describe()).status.name, PATIENT).toBe('COMPLETED');
      expect(await heal.result()).toMatch(/^recovered \d+ s after reset \(attempt 1\)$/);
    });
  });

  test('resumes it, with its memory, when its CPUs are frozen', ONCE, async () => {
    const bootBefore = await vm.bootId();
    const { incident, resets } = await healedFrom(2, () => vm.qmp('stop'));
    expect(resets).toBe(0);
    expect(await vm.bootId()).toBe(bootBefore);
    expect(incident).toMatchObject({
      outcome: 'recovered',
      operations: [{ action: 'resume', power: 'resume', state: 'done', detail: 'cont: CPUs running' }],
    });
    expect(incident.steps).toContainEqual(expect.objectContaining({ kind: 'hold', reason: 'paused-at-hypervisor' }));
    const [event] = await healEvents();
    expect(event).toMatchObject({ incident: 2, action: 'resume', result: 'success', newStatus: 'healthy' });
    expect(event).toMatchObject({ reason: 'Paused at its hypervisor', previousStatus: 'unhealthy' });
    await onTemporal(async (client) => {
      const heal = client.workflow.getHandle(healWorkflowId(vmId, 2));
      await expect.poll(async () => (await heal.describe()).status.name, PATIENT).toBe('COMPLETED');
    });
  });

  test('stops everything on Ctrl-C', ONCE, async () => {
    expect(processesOf(dataDir).length).toBeGreaterThanOrEqual(4);
    defib.interrupt();
    // npm ends by the signal itself where its script didn't exec; what it ran has ended well
    expect([0, 'SIGINT']).toContain(await defib.ended);
    expect(defib.out()).toMatch(/Stopped; the data is kept/);
    // npm may have something to say about its own settings
    expect(defib.err().replace(/^npm .*\n/gm, '')).toBe('');
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('carries on with the same data at the next start', ONCE, async () => {
    await startAgain();
    expect(defib.out()).toContain(`the one in ${join(dataDir, 'admin-token')}`);
    await carriesOn(2);
  });

  test('carries on after kill -9 of everything, and heals what hung meanwhile', ONCE, async () => {
    const before = await onTemporal((client) => watchOf(client, vmId));
    await defib.killAll();
    expect(processesOf(dataDir)).toEqual([]);
    const { incident, resets } = await healedFrom(3, async () => {
      await vm.hang();
      await startAgain();
    });
    expect(resets).toBe(1);
    expectOneReset(incident, /^system_reset: announced, running$/);
    await carriesOn(3);
    expect(await onTemporal((client) => watchOf(client, vmId))).toMatchObject({ runId: before.runId });
  });

  test('ends with exit code 0 on Ctrl-C', ONCE, async () => {
    defib.interrupt();
    expect(await defib.ended).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
  });

  async function startAgain(): Promise<void> {
    defib = startDefib('node', dataDir, ports, SETTINGS);
    await defib.said(/This machine is registered as the first VM and healthy/);
  }

  async function carriesOn(healed: number): Promise<void> {
    await expect.poll(async () => (await healthOf(vmId)).status, PATIENT).toBe('healthy');
    expect((await vms()).map(({ provider }) => provider.kind).toSorted()).toEqual(['local', 'qemu']);
    expect((await rest.get('/api/vms/auto-heal/policies', policyListAnswer)).policies).toHaveLength(1);
    expect(await healEvents()).toHaveLength(healed);
  }
});

type Incident = z.output<typeof incidentListAnswer>['incidents'][number];

/** The steps and the operation of an incident in which one reset helped. */
function expectOneReset(incident: Incident, detail: RegExp): void {
  expect(incident).toMatchObject({
    outcome: 'recovered',
    operations: [{ action: 'restart', power: 'reset', escalation: false, state: 'done' }],
  });
  expect(incident.operations[0]!.detail).toMatch(detail);
  const acted = incident.steps.find((step) => step.kind === 'act')!;
  expect(acted.reason).toBe(reasonOf(incident));
  expect(acted.guards.length).toBeGreaterThan(0);
  expect(acted.guards.filter(({ objection }) => objection !== null)).toEqual([]);
  expect(acted.facts).toMatchObject({ status: 'unhealthy', provider: { answered: true } });
  expect(incident.steps.at(-1)).toMatchObject({ kind: 'close', reason: 'recovered' });
}

/** The policy asks for two; a busy machine may have decided a look later. */
function reasonOf(incident: Incident): string {
  const acted = incident.steps.find((step) => step.kind === 'act');
  const failures = z.object({ consecutiveFailures: z.int().min(2) }).parse(acted?.facts).consecutiveFailures;
  return `${failures} consecutive failures`;
}

describeNeeding(['temporal'], 'npm start, with a port that is taken', () => {
  let holder: Server;
  let taken: number;
  const folders: string[] = [];

  beforeAll(async () => {
    holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const address = holder.address();
    taken = typeof address === 'object' && address ? address.port : 0;
  });

  afterAll(() => {
    holder.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  test.each(['PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'POSTGRES_PORT'] as const)(
    'ends with one line that names %s',
    ONCE,
    async (name) => {
      const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'defib-taken-')));
      folders.push(dataDir);
      const defib = startDefib('node', dataDir, { ...(await freePorts()), [name]: taken });
      expect(await defib.ended).toBe(1);
      expect(defib.err()).toMatch(new RegExp(`^.*127\\.0\\.0\\.1:${taken}: the port is in use.*${name}=….*\n$`));
      expect(processesOf(dataDir)).toEqual([]);
    },
  );
});
