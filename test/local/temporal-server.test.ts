import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startDeadline } from '../../checks/deadline.ts';
import { createEgress } from '../../checks/egress.ts';
import { environment } from '../../local/environment.mjs';
import { findFreePort } from '../../local/ports.ts';
import { isRunning } from '../../local/processes.ts';
import { findTemporalProgram } from '../../local/temporal-finder.ts';
import { type RunningTemporal, startTemporalServer } from '../../local/temporal-server.ts';
import { egressSettings } from '../../workers/egress-settings.ts';
import { makeRunFolder, type RunFolder } from '../support/leftover-runs.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';
import { serverOfKilledParent } from './killed-parent.ts';

let folder: RunFolder;
let port: number;
let path: string;
let running: RunningTemporal | undefined;

/** Whether somebody answers there, without a token, which workflows there are. */
async function tellsOfWorkflows(port: number): Promise<boolean> {
  const url = `http://127.0.0.1:${port}/api/v1/namespaces/default/workflows`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  return answer !== null && (await answer.text().catch(() => '')).includes('"kept"');
}

describeNeeding(['temporal'], 'a Temporal server of our own', () => {
  beforeEach(async () => {
    folder = makeRunFolder();
    port = await findFreePort();
    path = (await findTemporalProgram()).path;
  });
  afterEach(async () => {
    await running?.stop();
    folder.remove();
  });

  async function start(log: (line: string) => void = () => undefined): Promise<RunningTemporal> {
    running = await startTemporalServer({ path, dataDir: join(folder.path, 'temporal'), port, log });
    return running;
  }

  async function withClient<T>(server: RunningTemporal, action: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: server.address });
    try {
      return await action(new Client({ connection, namespace: server.namespace }));
    } finally {
      await connection.close();
    }
  }

  const begin = (server: RunningTemporal) =>
    withClient(server, (client) =>
      client.workflow.start('nobody-runs-this', { taskQueue: 'nobody', workflowId: 'kept' }),
    );
  const statusOf = (server: RunningTemporal) =>
    withClient(server, async (client) => (await client.workflow.getHandle('kept').describe()).status.name);

  it('keeps closed runs for 90 days', async () => {
    const server = await start();
    const found = await withClient(server, (client) =>
      client.workflowService.describeNamespace({ namespace: server.namespace }),
    );
    expect(Number(found.config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 86_400);
  });

  it('opens more ports than it is asked to, and checks reach none of them', async () => {
    const server = await start();
    await begin(server);
    const others = server.ports.filter((one) => one !== port);
    const tellOfWorkflows = await Promise.all(others.map((one) => tellsOfWorkflows(one)));
    expect(tellOfWorkflows).toContain(true);
    const settings = settingsOf({ CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535' });
    const connections = {
      databaseUrl: 'postgres://127.0.0.1:1/x',
      temporalAddress: server.address,
      namespace: 'default',
    };
    const egress = createEgress(egressSettings(settings, { ...connections, ownPorts: new Set(server.ports) }));
    const reach = { vmAddress: null, byAdmin: true, tenantTargets: [] };
    for (const one of server.ports) {
      const cleared = await egress.clear('127.0.0.1', one, reach, startDeadline(1_000));
      expect(cleared).toMatchObject({ ok: false, failure: { message: expect.stringContaining('belongs to Defib') } });
    }
  });

  it('is told on which ports to tell of workflows and of itself', async () => {
    const { pid, ports } = await start();
    const given = readFileSync(`/proc/${pid}/cmdline`, 'utf8').matchAll(/--(http|metrics)-port=(\d+)/g);
    const told = [...given].map(([, what, number]) => [what, ports.includes(Number(number))]);
    expect(told).toEqual([
      ['http', true],
      ['metrics', true],
    ]);
  });

  it('gets none of our secrets in its environment', async () => {
    environment['DEFIB_SECRET_KEY'] = 'sesame-of-a-test';
    try {
      const { pid } = await start();
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('sesame-of-a-test');
    } finally {
      delete environment['DEFIB_SECRET_KEY'];
    }
  });

  it('remembers its workflows after kill -9', async () => {
    const first = await start();
    await begin(first);
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    expect(await statusOf(await start())).toBe('RUNNING');
  });

  it('stops the server that a killed process left behind, and carries on with its data', async () => {
    const pid = await serverOfKilledParent('temporal', join(folder.path, 'temporal'), String(port), path);
    expect(isRunning(pid)).toBe(true);
    const lines: string[] = [];
    const server = await start((line) => lines.push(line));
    expect(isRunning(pid)).toBe(false);
    expect(lines).toEqual([`Stopping the Temporal server that an earlier run left behind (process ${pid}).`]);
    await begin(server);
    expect(await statusOf(server)).toBe('RUNNING');
  });

  it('says in one line that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await expect(start()).rejects.toThrow(
      `Temporal can't listen on 127.0.0.1:${port}: the port is in use. Stop what uses it, or choose another port with TEMPORAL_PORT=…`,
    );
    await new Promise((resolve) => other.close(resolve));
  });
});
