import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { Dependencies } from '../../activities/dependencies.ts';
import { incidentListAnswer } from '../../api/schemas/heals.ts';
import { healthAnswer } from '../../api/schemas/health.ts';
import { policyAnswer } from '../../api/schemas/policies.ts';
import { newVmAnswer } from '../../api/schemas/vms.ts';
import type { RunningApi } from '../../api/start-api.ts';
import { vmWorkflowId } from '../../domain/ids.ts';
import { parseSettings } from '../../domain/settings.ts';
import { createRest, type Rest } from '../../local/rest.ts';
import { until } from '../../local/until.ts';
import { startApiServer } from '../../workers/start-api-server.ts';
import { type RunningWorker, startWorker } from '../../workers/start-worker.ts';
import { type VmView, vmQueries } from '../../workflows/messages.ts';
import { FakeQmp } from '../support/fake-qmp.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { BUNDLES } from '../support/run-workers.ts';

const TOKEN = 'token-of-the-operator';
/** A heal that no look told of the end of a pause asks again after a minute. */
const PATIENT = { timeout: 100_000 };

/** A point that whoever comes by stands still at, until it is let go on. */
class Gate {
  #reached!: () => void;
  #opened!: () => void;
  readonly reached = new Promise<void>((resolve) => {
    this.#reached = resolve;
  });
  readonly #open = new Promise<void>((resolve) => {
    this.#opened = resolve;
  });

  async pass(): Promise<void> {
    this.#reached();
    await this.#open;
  }

  open(): void {
    this.#opened();
  }
}

/** All of Defib in one process, and the real QMP provider before a fake monitor. Looks may take a minute. */
describeNeeding(['temporal'], 'a VM that is paused while it is healed', () => {
  let temporal: OwnTemporal;
  let database: TestDatabase;
  let worker: RunningWorker;
  let api: RunningApi;
  let rest: Rest;
  let fake: FakeQmp;
  let service: Server;
  let vmId: string;
  /** Before the sender connects to the monitor, and right before it writes. */
  let gates: { connect?: Gate; write?: Gate } = {};
  /** How the VM answers: well until it hangs at once or slowly, and again once it was reset. */
  let mode: 'well' | 'fails' | 'hangs' = 'well';
  const held: ServerResponse[] = [];

  beforeAll(async () => {
    [temporal, database, fake] = await Promise.all([startOwnTemporal(), createTestDatabase(), FakeQmp.start()]);
    service = createServer((_, response) => {
      if (mode === 'hangs') held.push(response);
      else answer(response);
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const given = { CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535', QMP_SOCKET_DIRS: fake.dir, DEFIB_DATA_DIR: BUNDLES };
    const parsed = parseSettings(given);
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    const settings = { ...parsed.settings, PORT: 0 };
    const log = pino({ level: 'silent' });
    const connections = { databaseUrl: database.url, temporalAddress: temporal.address, namespace: 'default' };
    worker = await startWorker(settings, connections, log, withGates);
    api = await startApiServer(settings, connections, log, TOKEN);
    rest = createRest(api.url, TOKEN);
    vmId = await registerSlowVm();
  }, 120_000);

  afterEach(() => {
    for (const gate of Object.values(gates)) gate.open();
    gates = {};
  });

  afterAll(async () => {
    await api?.close(500);
    await worker?.stop();
    await temporal?.stop();
    service?.close();
    await fake?.remove();
    await database?.drop();
  });

  it('is sent nothing after the answer to its pause, while a slow look is under way', async () => {
    const connect = await actsUntil('connect');
    mode = 'hangs';
    await lookNow();
    await until(() => held.length === 1);

    expect(await pause()).toMatchObject({ status: 200, body: { sentBefore: [] } });
    expect(held[0]?.destroyed).toBe(false);
    connect.open();
    const refused = { state: 'abandoned', detail: 'not sent: the VM was paused' };
    await expect.poll(lastOperation, PATIENT).toMatchObject(refused);
    await expect.poll(lastStep, PATIENT).toMatchObject({ kind: 'hold', reason: 'paused' });
    expect(fake.received('system_reset')).toBe(0);

    for (const response of held.splice(0)) answer(response);
    await healsAfterResume();
    expect(fake.received('system_reset')).toBe(1);
  }, 150_000);

  it('is paused once a reset that is just being sent is over, which the answer names', async () => {
    const before = fake.received('system_reset');
    const write = await actsUntil('write');
    const sending = await lastOperation();
    const paused = pause();
    await until(isPaused);
    write.open();
    expect(await paused).toMatchObject({ status: 200, body: { sentBefore: [sending?.id] } });
    expect(await lastOperation()).toMatchObject({ id: sending?.id, state: 'done' });
    expect(fake.received('system_reset') - before).toBe(1);
    mode = 'well';
    await resume();
    await untilRecovered();
  }, 150_000);

  it('is paused once a sender that is held up can not write any more', async () => {
    const before = fake.received('system_reset');
    const write = await actsUntil('write');
    const sending = await lastOperation();
    expect(await pause()).toMatchObject({ status: 200, body: { sentBefore: [sending?.id] } });
    write.open();
    await expect.poll(lastOperation, PATIENT).toMatchObject({ id: sending?.id, state: 'abandoned' });
    expect(fake.received('system_reset') - before).toBe(0);

    await healsAfterResume();
    expect(fake.received('system_reset') - before).toBe(1);
  }, 150_000);

  function withGates(deps: Dependencies): Dependencies {
    const reach: Dependencies['providers']['reach'] = (...args) => {
      const reached = deps.providers.reach(...args);
      if (!reached.ok) return reached;
      const { provider } = reached;
      const gated: typeof provider = {
        ...provider,
        async prepare(...asked) {
          await gates.connect?.pass();
          const ready = await provider.prepare(...asked);
          if (!ready.ok) return ready;
          const { prepared } = ready;
          const send: typeof prepared.send = async (timeoutMs) => {
            await gates.write?.pass();
            return prepared.send(timeoutMs);
          };
          return { ok: true, prepared: { ...prepared, send } };
        },
      };
      return { ok: true, provider: gated };
    };
    return { ...deps, providers: { ...deps.providers, reach } };
  }

  async function registerSlowVm(): Promise<string> {
    const { port } = service.address() as AddressInfo;
    const registered = await rest.post(
      '/api/vms',
      {
        name: 'slow',
        address: '127.0.0.1',
        provider: { kind: 'qemu', qmpSocket: fake.path },
        checks: [
          {
            checkType: 'http',
            target: `http://127.0.0.1:${port}/`,
            intervalSeconds: 60,
            timeoutSeconds: 60,
            failureThreshold: 1,
          },
        ],
      },
      newVmAnswer,
    );
    await rest.post(
      '/api/vms/auto-heal/policies',
      {
        name: 'restart',
        action: 'restart',
        triggerAfterFailures: 1,
        cooldownMinutes: 0,
        maxAttempts: 20,
        verifySeconds: 300,
      },
      policyAnswer,
    );
    return registered.body.id;
  }

  const health = () => rest.get(`/api/vms/${vmId}/health`, healthAnswer);
  const incidents = async () => (await rest.get(`/api/vms/${vmId}/incidents`, incidentListAnswer)).incidents;
  const lastOperation = async () => (await incidents())[0]?.operations.at(-1);
  const lastStep = async () => (await incidents())[0]?.steps.at(-1);
  const lookNow = () => rest.post(`/api/vms/${vmId}/look-now`, {}, z.object({}));
  const pause = () => rest.post(`/api/vms/${vmId}/pause`, { reason: 'rack move' }, z.looseObject({}));
  const resume = () => rest.post(`/api/vms/${vmId}/resume`, {}, z.object({}));
  const isPaused = async () => (await rest.get(`/api/vms/${vmId}`, z.looseObject({})))['paused'] !== null;

  /** Its workflow hears of it after the look that is under way. */
  async function isKnownToBePaused(): Promise<boolean> {
    const { paused } = await temporal.client.workflow.getHandle(vmWorkflowId(vmId)).query<VmView>(vmQueries.state);
    return paused !== null;
  }

  /** Makes the healthy VM ill, and resolves when its heal stands at that gate. */
  async function actsUntil(point: 'connect' | 'write'): Promise<Gate> {
    await expect.poll(health, PATIENT).toMatchObject({ status: 'healthy' });
    const gate = new Gate();
    gates = { [point]: gate };
    mode = 'fails';
    await lookNow();
    await gate.reached;
    return gate;
  }

  async function healsAfterResume(): Promise<void> {
    gates = {};
    mode = 'fails';
    // its end is news to what has seen it
    await until(isKnownToBePaused);
    await resume();
    await expect.poll(lastOperation, PATIENT).toMatchObject({ state: 'done' });
    mode = 'well';
    await untilRecovered();
  }

  async function untilRecovered(): Promise<void> {
    await expect.poll(async () => (await incidents())[0], PATIENT).toMatchObject({ outcome: 'recovered' });
  }

  function answer(response: ServerResponse): void {
    response.statusCode = mode === 'well' ? 200 : 503;
    response.end();
  }
});
