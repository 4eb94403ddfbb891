import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { findFreePort } from '../../local/ports.ts';
import { startApiServer } from '../../workers/start-api-server.ts';
import type { TemporalAccess } from '../../workers/temporal-access.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';
import { type Authority, createAuthority } from '../support/tls/authority.ts';
import { type FrontOptions, startTemporalFront } from '../support/tls/temporal-front.ts';

const API_KEY = 'key-that-is-secret';

describeNeeding(['temporal', 'openssl'], 'an API whose Temporal can not be used', () => {
  const folder = mkdtempSync(join(tmpdir(), 'defib-api-log-'));
  let database: TestDatabase;
  let own: Authority;
  let other: Authority;
  beforeAll(async () => {
    database = await createTestDatabase();
    own = createAuthority(folder, 'own');
    other = createAuthority(folder, 'other');
  });
  afterAll(async () => {
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Serves with this Temporal until its log matches; resolves with all of the log. */
  async function logUntil(pattern: RegExp, access: TemporalAccess, front: Partial<FrontOptions> = {}): Promise<string> {
    const temporal = inject('temporal');
    const certificate = own.issue('server', ['DNS:localhost']);
    const server = await startTemporalFront(temporal.ok ? temporal.address : '', { certificate, ...front });
    let logged = '';
    const log = pino(
      new Writable({
        write(line: Buffer, _encoding, done) {
          logged += line.toString();
          done();
        },
      }),
    );
    const settings = settingsOf({ PORT: String(await findFreePort()) });
    const temporalAddress = `localhost:${server.port}`;
    const connections = { databaseUrl: database.url, temporalAddress, temporalAccess: access, namespace: 'default' };
    const api = await startApiServer(settings, connections, log, undefined);
    try {
      expect((await fetch(`${api.url}/docs`)).status).toBe(200);
      await expect.poll(() => logged, { timeout: 20_000 }).toMatch(pattern);
    } finally {
      await api.close();
      await server.stop();
    }
    expect(logged).not.toContain(API_KEY);
    return logged;
  }

  it('serves all the same, and its log says once that a certificate is not trusted', async () => {
    const reason =
      /The Temporal at localhost:\d+ can't be used: its certificate is signed by no authority that is trusted/g;
    const logged = await logUntil(reason, { tls: { ca: other.ca }, apiKey: API_KEY });
    expect(logged.match(reason)).toHaveLength(1);
  });

  it('serves all the same, and its log says that the key is refused', async () => {
    const refuses = { refuses: /DescribeNamespace/ };
    await logUntil(/can't be used: it refuses the requests \(/, { tls: { ca: own.ca }, apiKey: API_KEY }, refuses);
  });
});
