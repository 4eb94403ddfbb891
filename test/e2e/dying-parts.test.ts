import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { healthAnswer } from '../../api/schemas/health.ts';
import { vmAnswer, vmListAnswer } from '../../api/schemas/vms.ts';
import { listeningPorts } from '../../local/listening-ports.ts';
import { findFreePorts } from '../../local/ports.ts';
import { commandLineOf, isRunning } from '../../local/processes.ts';
import { createRest, type Rest } from '../../local/rest.ts';
import { until } from '../../local/until.ts';
import { type DefibProcess, freePorts, type Ports, startDefib } from '../support/defib-process.ts';
import { killProcessesOf, processesOf } from '../support/processes-of.ts';
import { describeNeeding } from '../support/requirements.ts';

const LONG_MS = 240_000;
/** No second chance: a process left behind would be taken for the next test's. */
const ONCE = { timeout: LONG_MS, retry: 0 };
const PATIENT = { timeout: 120_000, interval: 200 };
const SECRET = 'ab'.repeat(32);

/** Temporal last: the worker must learn of its new ports while it runs. */
const PARTS = ['Postgres', 'The worker', 'Temporal'] as const;
type PartName = (typeof PARTS)[number];

/** A Defib of one test alone, as `npm start` runs it. */
class Started {
  readonly dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'defib-parts-')));
  ports: Ports = { PORT: 0, TEMPORAL_PORT: 0, TEMPORAL_UI_PORT: 0, POSTGRES_PORT: 0 };

  async start(): Promise<DefibProcess> {
    this.ports = await freePorts();
    const defib = startDefib('node', this.dataDir, this.ports, {
      DEFIB_SECRET_KEY: SECRET,
      KEEP_RESPONSE_BODIES: 'false',
    });
    await defib.said(/This machine is registered as the first VM and healthy/);
    return defib;
  }

  pidOf(part: PartName): number {
    if (part === 'Postgres') return firstNumberIn(join(this.dataDir, 'postgres', 'data', 'postmaster.pid'));
    if (part === 'Temporal') return firstNumberIn(join(this.dataDir, 'temporal', 'temporal.pid'));
    const worker = processesOf(this.dataDir).find((pid) => commandLineOf(pid)?.includes('worker-main'));
    if (worker === undefined) throw new Error('there is no worker');
    return worker;
  }

  rest(): Rest {
    return createRest(this.url, readFileSync(join(this.dataDir, 'admin-token'), 'utf8').trim());
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.PORT}`;
  }

  /** One statement on its database. */
  async sql(text: string, values: unknown[]): Promise<unknown[]> {
    const password = readFileSync(join(this.dataDir, 'postgres', 'password'), 'utf8').trim();
    const client = new Client({
      connectionString: `postgres://postgres:${password}@127.0.0.1:${this.ports.POSTGRES_PORT}/defib`,
    });
    await client.connect();
    const { rows } = await client.query(text, values);
    await client.end();
    return rows;
  }

  /** The status of `GET /health`, and when to come back. */
  async health(): Promise<{ status: number; error?: string | undefined; retryAfter: string | null }> {
    const answer = await fetch(`${this.url}/health`);
    const { error } = z.object({ error: z.string().optional() }).parse(await answer.json());
    return { status: answer.status, error, retryAfter: answer.headers.get('retry-after') };
  }

  async remove(): Promise<void> {
    await killProcessesOf(this.dataDir);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

function firstNumberIn(file: string): number {
  return Number.parseInt(readFileSync(file, 'utf8'));
}

describeNeeding(['temporal'], 'a part of npm start that dies', () => {
  describe('once', () => {
    const started = new Started();
    let defib: DefibProcess;
    beforeAll(async () => {
      defib = await started.start();
    }, LONG_MS);
    afterAll(() => started.remove(), LONG_MS);

    test.for(PARTS)('is named with its end and runs again, and looks go on: %s', ONCE, async (part) => {
      const before = started.pidOf(part);
      process.kill(before, 'SIGKILL');
      // Postgres and Temporal write to a file, whose name is said too
      const lastSaid = part === 'The worker' ? '' : String.raw`(  \| .*\n)*  \| \(.*\.log\)$`;
      await defib.said(new RegExp(`^${part} was ended by SIGKILL\\. It said last:\n${lastSaid}`, 'm'));
      await defib.said(new RegExp(`^Starting ${part} again \\(1 of 3 within 60 s\\)`, 'm'));
      await defib.said(new RegExp(`^${part} runs again\\.$`, 'm'));
      expect(started.pidOf(part)).not.toBe(before);
      await expect.poll(() => started.health(), PATIENT).toMatchObject({ status: 200 });
      const rest = started.rest();
      const { vms } = await rest.get('/api/vms', vmListAnswer);
      const killedAt = new Date().toISOString();
      await rest.post(`/api/vms/${vms[0]!.id}/look-now`, {}, z.unknown());
      const seen = async () => (await rest.get(`/api/vms/${vms[0]!.id}/health`, healthAnswer)).lastHealthyAt ?? '';
      await expect.poll(async () => (await seen()) > killedAt, PATIENT).toBe(true);
    });

    test(
      'keeps checks from every port that its processes listen on, those of the new Temporal server too',
      ONCE,
      async () => {
        const opened = listeningPorts(started.pidOf('Temporal'));
        expect(opened.length).toBeGreaterThan(2);
        const ofOthers = processesOf(started.dataDir).flatMap(listeningPorts);
        expect(ofOthers).toContain(started.ports.POSTGRES_PORT);
        for (const port of new Set([...opened, ...ofOthers, started.ports.PORT])) {
          const checks = [{ checkType: 'tcp', target: String(port) }];
          const vm = { name: `at-${port}`, address: '127.0.0.1', provider: { kind: 'none' }, checks };
          const refused = started.rest().post('/api/vms', vm, z.unknown());
          await expect(refused).rejects.toThrow('belongs to Defib itself');
        }
      },
    );

    test('and a check that leads there is not looked at: the worker knows them too', ONCE, async () => {
      const rest = started.rest();
      const [port = 0] = await findFreePorts(1);
      const checks = [{ checkType: 'tcp', target: String(port) }];
      const vm = { name: 'led there', address: '127.0.0.1', provider: { kind: 'none' }, checks };
      const { id } = (await rest.post('/api/vms', vm, z.object({ id: z.string() }))).body;
      // no way over the API leads there
      const opened = listeningPorts(started.pidOf('Temporal')).find(
        (one) => !Object.values(started.ports).includes(one),
      );
      await started.sql('UPDATE check_configs SET target = $1 WHERE vm_id = $2', [String(opened), id]);
      await rest.post(`/api/vms/${id}/look-now`, {}, z.unknown());
      const reasons = async () => (await rest.get(`/api/vms/${id}`, vmAnswer)).reasons.map(({ reason }) => reason);
      await expect.poll(reasons, PATIENT).toEqual(['target-refused']);
    });

    test('ends well afterwards', ONCE, async () => {
      defib.interrupt();
      expect(await defib.ended).toBe(0);
      expect(processesOf(started.dataDir)).toEqual([]);
    });
  });

  describe('again and again', () => {
    let started: Started;
    afterEach(() => started.remove(), LONG_MS);

    test.for(PARTS)('ends Defib with code 1, and its name is the last that is said: %s', ONCE, async (part) => {
      started = new Started();
      const defib = await started.start();
      for (let restarts = 0; restarts <= 3; restarts++) {
        const pid = started.pidOf(part);
        process.kill(pid, 'SIGKILL');
        if (restarts < 3) await until(() => defib.err().split(`${part} runs again.`).length === restarts + 2);
      }
      expect(await defib.ended).toBe(1);
      expect(defib.err()).toMatch(
        new RegExp(`\n${part} was ended by SIGKILL, after 3 restarts within 60 s: Defib ends\\.\n$`),
      );
      expect(processesOf(started.dataDir)).toEqual([]);
    });

    test('and meanwhile the API answers 503, when it can not be started again', ONCE, async () => {
      started = new Started();
      const defib = await started.start();
      rmSync(join(started.dataDir, 'postgres', 'password'));
      process.kill(started.pidOf('Postgres'), 'SIGKILL');
      await until(async () => (await started.health()).status === 503, { everyMs: 5 });
      expect(await started.health()).toMatchObject({
        status: 503,
        retryAfter: '5',
        error: expect.stringMatching(/^postgres: /),
      });
      expect(await defib.ended).toBe(1);
      expect(defib.err()).toMatch(/^Postgres did not start: .*password is missing/m);
      expect(defib.err()).toMatch(/after 3 restarts within 60 s: Defib ends\.\n$/);
      expect(processesOf(started.dataDir)).toEqual([]);
    });
  });
});

describeNeeding(['temporal'], 'the worker of npm start', () => {
  const started = new Started();
  let defib: DefibProcess;
  beforeAll(async () => {
    defib = await started.start();
  }, LONG_MS);
  afterAll(() => started.remove(), LONG_MS);

  test('shows no secret in its command line or environment', () => {
    const pid = started.pidOf('The worker');
    for (const file of ['cmdline', 'environ']) {
      const shown = readFileSync(`/proc/${pid}/${file}`, 'utf8');
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain('postgres://');
    }
  });

  test('keeps no body where KEEP_RESPONSE_BODIES says so, also of an administrator’s check', ONCE, async () => {
    const server = createServer((_request, response) => void response.end('names of others')).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const checks = [{ checkType: 'http', target }];
      const vm = { name: 'with a body', address: '127.0.0.1', provider: { kind: 'none' }, checks };
      const { id } = (await started.rest().post('/api/vms', vm, z.object({ id: z.string() }))).body;
      const kept = () => started.sql('SELECT raw_response FROM check_results WHERE vm_id = $1 LIMIT 1', [id]);
      await expect.poll(kept, PATIENT).toEqual([{ raw_response: { statusCode: 200, body: null } }]);
    } finally {
      server.close();
    }
  });

  test('dies with its parent, also when that is killed', ONCE, async () => {
    const pid = started.pidOf('The worker');
    await defib.kill();
    await until(() => !isRunning(pid));
  });
});
