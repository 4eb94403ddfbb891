import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newVmAnswer, vmAnswer } from '../../api/schemas/vms.ts';
import { findFreePort } from '../../local/ports.ts';
import { createRest } from '../../local/rest.ts';
import { newUsersEnvironment } from '../support/defib-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Program, startProgram } from '../support/program.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { BUNDLES } from '../support/run-workers.ts';
import { type Authority, type Certificate, createAuthority } from '../support/tls/authority.ts';
import { startTemporalFront, type TemporalFront } from '../support/tls/temporal-front.ts';

const PATIENT = { timeout: 60_000, interval: 200 };
const API_KEY = 'key-that-is-secret';

describeNeeding(['temporal', 'openssl'], 'API and worker whose Temporal wants TLS, a certificate and a key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'defib-over-tls-'));
  const token = randomBytes(24).toString('base64url');
  const programs: Program[] = [];
  let temporal: OwnTemporal;
  let database: TestDatabase;
  let own: Authority;
  let client: Certificate;
  let front: TemporalFront;
  let guest: Server;
  let apiPort: number;
  beforeAll(async () => {
    temporal = await startOwnTemporal();
    database = await createTestDatabase();
    own = createAuthority(folder, 'own');
    client = own.issue('defib');
    const certificate = own.issue('server', ['DNS:localhost']);
    // as Temporal Cloud: its users are no operators
    front = await startTemporalFront(temporal.address, { certificate, clientsOf: own, refuses: /OperatorService/ });
    guest = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(guest, 'listening');
    apiPort = await findFreePort();
  }, 60_000);
  afterAll(async () => {
    for (const program of programs) await program.kill();
    guest?.close();
    await front?.stop();
    await temporal?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(entryPoint: 'api' | 'worker'): Program {
    const settings = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: `localhost:${front.port}`,
      TEMPORAL_API_KEY: API_KEY,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: own.caFile,
      TEMPORAL_TLS_CLIENT_CERT_PATH: client.certFile,
      TEMPORAL_TLS_CLIENT_KEY_DATA: client.key,
      DEFIB_DATA_DIR: BUNDLES,
      DEFIB_ADMIN_TOKEN: token,
      CHECK_TARGETS_ALLOW: '127.0.0.0/8:1-65535',
      PORT: String(apiPort),
      LOG_LEVEL: 'trace',
    };
    const command = [process.execPath, '--import', 'tsx', `workers/${entryPoint}.ts`];
    const program = startProgram(command, { env: { ...newUsersEnvironment(), ...settings }, endWithUs: 'KILL' });
    programs.push(program);
    return program;
  }

  const methodsOf = (pattern: RegExp) => {
    const methods = front.calls.map(({ path }) => path.split('/').at(-1) ?? '').filter((name) => pattern.test(name));
    return new Set(methods);
  };

  it('do all of their work over it, and show no secret in their logs', async () => {
    const [api, worker] = [start('api'), start('worker')];
    await Promise.all([api.said(/API is serving/), worker.said(/worker is running/)]);

    const rest = createRest(`http://127.0.0.1:${apiPort}`, token);
    const { port } = guest.address() as AddressInfo;
    const checks = [{ checkType: 'tcp', target: String(port), intervalSeconds: 5, timeoutSeconds: 2 }];
    const vm = { name: 'over-tls', address: '127.0.0.1', provider: { kind: 'local' }, checks };
    const { id } = (await rest.post('/api/vms', vm, newVmAnswer)).body;
    await expect.poll(async () => (await rest.get(`/api/vms/${id}`, vmAnswer)).health, PATIENT).toBe('healthy');

    // the API starts a VM's workflow, the worker takes its tasks
    expect(methodsOf(/^SignalWithStart/)).not.toEqual(new Set());
    expect(methodsOf(/^Poll/)).toEqual(new Set(['PollWorkflowTaskQueue', 'PollActivityTaskQueue']));
    for (const { path, headers, client: name } of front.calls) {
      expect([headers.authorization, name], path).toEqual([`Bearer ${API_KEY}`, 'defib']);
    }
    const logged = [api, worker].map((program) => `${program.out()}${program.err()}`).join('\n');
    const secrets = [API_KEY, token, new URL(database.url).password, ...client.key.split('\n').slice(1, -2)];
    for (const secret of secrets) expect(logged).not.toContain(secret);
  }, 120_000);
});
