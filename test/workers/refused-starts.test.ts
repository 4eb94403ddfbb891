import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUsersEnvironment } from '../support/defib-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startProgram } from '../support/program.ts';
import { describeNeeding } from '../support/requirements.ts';
import { createAuthority } from '../support/tls/authority.ts';
import { startTemporalFront } from '../support/tls/temporal-front.ts';

const ENTRY_POINTS = ['api', 'worker', 'all-in-one', 'migrate'] as const;
type EntryPoint = (typeof ENTRY_POINTS)[number];

const PASSWORD = 'password-that-is-secret';
const UNKNOWN_HOST = `postgres://defib:${PASSWORD}@no-such-host.invalid/defib`;

/** What a production process that can't start says, in lines, and its exit code. */
async function refusedStart(
  entryPoint: EntryPoint,
  settings: Readonly<Record<string, string>>,
): Promise<{ code: number | NodeJS.Signals; lines: string[] }> {
  const command = [process.execPath, '--import', 'tsx', `workers/${entryPoint}.ts`];
  const program = startProgram(command, { env: { ...newUsersEnvironment(), ...settings }, endWithUs: 'KILL' });
  const code = await program.ended;
  return { code, lines: `${program.out()}${program.err()}`.trim().split('\n') };
}

describe('a production process ends in one line and with exit code 1', () => {
  it.each(ENTRY_POINTS)('where the host of Postgres is not known: %s', async (entryPoint) => {
    const settings = { DATABASE_URL: UNKNOWN_HOST, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { code, lines } = await refusedStart(entryPoint, settings);
    expect(lines).toEqual([
      expect.stringMatching(
        /^The Postgres that DATABASE_URL names \(no-such-host\.invalid:5432\) can't be used: (there is no host of that name \(ENOTFOUND\)|the name of the host cannot be resolved now \(EAI_AGAIN\))\.$/,
      ),
    ]);
    expect(code).toBe(1);
  });

  it.each(['api', 'worker', 'all-in-one'] as const)('where nothing names its servers: %s', async (entryPoint) => {
    expect(await refusedStart(entryPoint, {})).toEqual({
      code: 1,
      lines: [
        "The settings can't be used: DATABASE_URL, TEMPORAL_ADDRESS: must be set, because this process starts neither Postgres nor Temporal",
      ],
    });
  });
});

describe('a production process whose servers are named wrongly', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'defib-refused-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('names every problem of both, and no secret', async () => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, PASSWORD);
    const { code, lines } = await refusedStart('worker', {
      DATABASE_URL: `${UNKNOWN_HOST}?sslmode=prefer`,
      PGSSLCERT: '/no/cert.pem',
      TEMPORAL_ADDRESS: 'https://temporal.example',
      TEMPORAL_API_KEY: `${PASSWORD}\n`,
      TEMPORAL_TLS_CLIENT_KEY_PATH: file,
    });
    expect(lines).toEqual([
      "The settings can't be used:",
      '  DATABASE_URL: sslmode must be one of disable, require, verify-ca, verify-full',
      '  DATABASE_URL: sslcert, sslkey: set both, or neither',
      "  DATABASE_URL: sslcert: /no/cert.pem can't be read (ENOENT)",
      '  TEMPORAL_ADDRESS: must be host:port',
      `  TEMPORAL_TLS_CLIENT_KEY_PATH: ${file} holds no private key without a passphrase (PEM)`,
      '  TEMPORAL_TLS_CLIENT_CERT_…, TEMPORAL_TLS_CLIENT_KEY_…: set both, or neither',
      '  TEMPORAL_API_KEY: must be ASCII without blanks and line ends',
    ]);
    expect(lines.join('\n')).not.toContain(PASSWORD);
    expect(code).toBe(1);
  });
});

describe('an API whose port is taken', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it('ends in one line that says which', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const settings = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      PORT: String(port),
      LOG_LEVEL: 'silent',
    };
    expect(await refusedStart('api', settings)).toEqual({
      code: 1,
      lines: [`listen EADDRINUSE: address already in use 127.0.0.1:${port}`],
    });
    other.close();
  });
});

describeNeeding(['temporal', 'openssl'], 'a worker that does not trust the authority of its Temporal', () => {
  let folder: string;
  let database: TestDatabase;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'defib-refused-'));
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends in one line, without its API key', async () => {
    const temporal = inject('temporal');
    const certificate = createAuthority(folder, 'own').issue('server', ['DNS:localhost']);
    const front = await startTemporalFront(temporal.ok ? temporal.address : '', { certificate });
    try {
      const { code, lines } = await refusedStart('worker', {
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: `localhost:${front.port}`,
        TEMPORAL_API_KEY: PASSWORD,
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: createAuthority(folder, 'other').caFile,
      });
      expect(lines).toEqual([
        expect.stringMatching(
          /^The Temporal at localhost:\d+ can't be used: its certificate is signed by no authority that is trusted here \(\w+\)\.$/,
        ),
      ]);
      expect(lines.join('\n')).not.toContain(PASSWORD);
      expect(code).toBe(1);
    } finally {
      await front.stop();
    }
  });
});
