import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningApi } from '../../api/start-api.ts';
import { until } from '../../local/until.ts';
import { startApiServer } from '../../workers/start-api-server.ts';
import { type RunningWorker, startWorker } from '../../workers/start-worker.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.ts';
import { query } from '../support/postgres.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';

const TOKEN = 'token-of-the-operator';

/** All of Defib in one process, as `npm start` runs it, on a Postgres that freezes. */
describeNeeding(['temporal'], 'Defib while its Postgres is frozen', () => {
  let postgres: OwnPostgres;
  let temporal: OwnTemporal;
  let worker: RunningWorker;
  let api: RunningApi;
  let target: Server;
  let folder: string;
  /** Requests that the watched VM was sent. */
  let looks = 0;
  const lines: string[] = [];

  beforeAll(async () => {
    [postgres, temporal] = await Promise.all([startOwnPostgres(), startOwnTemporal()]);
    target = createServer((_request, response) => {
      looks++;
      response.end('well');
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    folder = mkdtempSync(join(tmpdir(), 'defib-database-away-'));
    const settings = { ...settingsOf({ CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535', DEFIB_DATA_DIR: folder }), PORT: 0 };
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const connections = { databaseUrl: postgres.url, temporalAddress: temporal.address, namespace: 'default' };
    worker = await startWorker(settings, connections, log);
    api = await startApiServer(settings, connections, log, TOKEN);
  }, 120_000);

  afterAll(async () => {
    postgres?.thaw();
    await api?.close(500);
    await worker?.stop();
    await temporal?.stop();
    await postgres?.stop();
    target?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Answer }> {
    const answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.status, body: (await answer.json()) as Answer };
  }

  interface Answer {
    id: string;
    error: string;
  }

  const said = (what: RegExp) => lines.map((line) => JSON.parse(line).msg as string).filter((msg) => what.test(msg));
  const lookedAt = (more: number) => {
    const enough = looks + more;
    return until(() => looks >= enough, { limitMs: 20_000 });
  };
  const results = async (vmId: string): Promise<number> =>
    (
      await query<{ n: number }>(postgres.url, 'SELECT count(*)::int AS n FROM check_results WHERE vm_id = $1', [vmId])
    )[0]?.n ?? 0;

  it('looks on, says so, and has stored all that it saw when Postgres goes on', async () => {
    const { port } = target.address() as AddressInfo;
    const vm = await call('POST', '/api/vms', {
      name: 'watched',
      address: '127.0.0.1',
      provider: { kind: 'none' },
      checks: [{ checkType: 'http', target: `http://127.0.0.1:${port}/`, intervalSeconds: 1 }],
    });
    expect(vm.status, vm.body.error).toBe(201);
    await lookedAt(3);
    postgres.freeze();
    await lookedAt(6);
    expect(await call('GET', '/health')).toMatchObject({ status: 503, body: { error: 'postgres: not answering' } });
    expect(await call('PATCH', `/api/vms/${vm.body.id}`, { name: 'x' })).toMatchObject({ status: 503 });
    await lookedAt(6);
    const seen = looks;
    postgres.thaw();
    await until(async () => (await call('GET', '/health')).status === 200);
    await until(async () => (await results(vm.body.id)) >= seen);
    expect(said(/^Postgres: /)).toEqual(['Postgres: not answering. Looks go on, heals hold']);
    await until(() => said(/^Postgres works again/).length === 1);
    expect(said(/could not be stored|kept changing|failed/)).toEqual([]);
  }, 120_000);
});
