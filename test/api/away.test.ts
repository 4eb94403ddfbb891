import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { LIMITS } from '../../db/limits.ts';
import { migrate } from '../../db/migrate.ts';
import { until } from '../../local/until.ts';
import { breakableLink } from '../db/breakable-link.ts';
import { query } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { seedVm } from '../support/seed-vm.ts';
import { type SmallDiskPostgres, startOnSmallDisk } from '../support/small-disk/small-disk.ts';
import { type ApiUnderTest, aVm, registered, startApiUnderTest } from './api-under-test.ts';

describe('While Temporal is away', () => {
  let api: ApiUnderTest;
  const silent = createServer();
  beforeAll(async () => {
    // accepts connections and never answers
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    api = await startApiUnderTest({ temporalAddress: `127.0.0.1:${port}` });
    await seedVm(api.database, { name: 'old', externalId: 'old', announcedVersion: 1 }, [{ checkType: 'ping' }]);
    await api.database.pool.query(`UPDATE vm_status SET status = 'healthy'`);
  });
  afterAll(async () => {
    await api.close();
    silent.close();
  });

  it('refuses a registration with 503 and stores none of it', async () => {
    const before = await api.counts();
    const reply = await api.call('POST', '/api/vms', aVm());
    expect(reply.status, reply.text).toBe(503);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(reply.body.error).toContain('Temporal');
    const { audit_log: _, ...after } = await api.counts();
    expect(before).toMatchObject(after);
    const { rows } = await api.database.pool.query(`SELECT action FROM audit_log WHERE vm_id IS NOT NULL ORDER BY id`);
    expect(rows.map((row) => row.action)).toEqual(['vm_created', 'token_created', 'vm_registration_withdrawn']);
  });

  it('takes changes with 202, to be announced later', async () => {
    const changed = await api.call('PATCH', '/api/vms/old', { name: 'new name' });
    expect(changed).toMatchObject({ status: 202, body: { name: 'new name', announced: false } });
    const check = await api.call('PUT', '/api/vms/old/health/config', { checkType: 'agent' });
    expect(check).toMatchObject({ status: 202, body: { checkType: 'agent', announced: false } });
    const disabled = await api.call('DELETE', '/api/cloud-pods/old/health/config/agent');
    expect(disabled).toMatchObject({ status: 202, body: { disabled: true, announced: false } });
    const { rows } = await api.database.pool.query('SELECT settings_version, announced_version FROM vms');
    expect(rows).toEqual([{ settings_version: 4, announced_version: 1 }]);
    const reset = await api.call('POST', '/api/vms/old/auto-heal/reset');
    expect(reset).toMatchObject({ status: 200, body: { reset: true } });
    expect((await api.call('POST', '/api/vms/auto-heal/policies', { name: 'p' })).status).toBe(201);
  });

  it('refuses what only the workflow could do', async () => {
    expect((await api.call('POST', '/api/vms/old/look-now')).status).toBe(503);
    expect((await api.call('POST', '/api/vms/old/check-now')).status).toBe(503);
  });

  it('pauses and resumes all the same', async () => {
    const paused = await api.call('POST', '/api/vms/old/pause', { reason: 'x' });
    expect(paused).toMatchObject({ status: 200, body: { paused: true, reason: 'x' } });
    expect((await api.call('GET', '/api/vms/old')).body.paused).toMatchObject({ reason: 'x' });
    const resumed = await api.call('POST', '/api/vms/old/resume');
    expect(resumed).toMatchObject({ status: 202, body: { paused: false, announced: false } });
    expect((await api.call('GET', '/api/vms/old')).body).toMatchObject({ paused: null, announced: false });
  });

  it('answers reads, takes reports, and says in /health what is down', async () => {
    expect((await api.call('GET', '/api/vms/old')).status).toBe(200);
    expect((await api.call('POST', '/api/health/report', { vmId: 'old', cpu: 1 })).status).toBe(200);
    const health = await api.call('GET', '/health', undefined, { token: null });
    expect(health).toMatchObject({
      status: 503,
      body: { status: 'unavailable', parts: { postgres: { ok: true }, temporal: { ok: false } } },
    });
    expect(health.body.error).toBe('temporal: does not answer');
    expect(health.headers.get('retry-after')).toBe('5');
  });

  it('answers at once what only the workflow could do, instead of asking each time', async () => {
    // were each of them to wait its half second, this would take longer than a test may
    for (let i = 0; i < 100; i++) {
      const reply = await api.call('POST', '/api/vms/old/look-now');
      expect(reply.status).toBe(503);
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('takes a deletion with 202', async () => {
    expect(await api.call('DELETE', '/api/vms/old')).toMatchObject({
      status: 202,
      body: { deleted: true, announced: false },
    });
    expect((await api.call('GET', '/api/vms/old')).status).toBe(404);
  });
});

describeNeeding(['temporal'], 'When Temporal is back', () => {
  it('is noticed without a restart: what only the workflow could do is taken again', async () => {
    const temporal = inject('temporal');
    if (!temporal.ok) throw new Error(temporal.reason);
    const link = await breakableLink(`tcp://${temporal.address}`);
    const api = await startApiUnderTest({ temporalAddress: new URL(link.url).host });
    try {
      const vm = await registered(api);
      const lookNow = async () => (await api.call('POST', `/api/vms/${vm.id}/look-now`)).status;
      const health = async () => (await healthOf(api)).status;
      expect([await lookNow(), await health()]).toEqual([202, 200]);
      link.cut();
      await until(async () => (await lookNow()) === 503);
      expect([await lookNow(), await health()]).toEqual([503, 503]);
      link.mend();
      await until(async () => (await health()) === 200);
      await until(async () => (await lookNow()) === 202);
    } finally {
      await api.close();
      await link.close();
    }
  });
});

describeNeeding(['temporal'], 'While Postgres is away', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest({ cuttable: true });
  });
  afterAll(() => api.close());

  it('says 503 with Retry-After, names the part in /health, and goes on when it is back', async () => {
    const vm = await registered(api);
    expect((await api.call('GET', '/health', undefined, { token: null })).body).toEqual({
      status: 'ok',
      parts: { postgres: { ok: true }, temporal: { ok: true } },
    });
    api.link.cut();
    const reply = await api.call('GET', `/api/vms/${vm.id}`);
    expect(reply.status, reply.text).toBe(503);
    expect(reply.headers.get('retry-after')).toBe('5');
    expect(reply.body.error).toContain('database');
    const changed = await api.call('PATCH', `/api/vms/${vm.id}`, { name: 'x' });
    expect(changed.status).toBe(503);
    const health = await api.call('GET', '/health', undefined, { token: null });
    expect(health).toMatchObject({ status: 503, body: { error: 'postgres: unreachable' } });
    api.link.mend();
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.name).toBe(vm.name);
    expect(api.logged()).not.toContain('postgres://');
  });
});

/** Lines of the log about Postgres as a whole: when its trouble begins, and when it is over. */
const statesIn = (api: ApiUnderTest) =>
  [...api.logged().matchAll(/"msg":"(Postgres[ :][^".]*)/g)].map((match) => match[1]);
const healthOf = (api: ApiUnderTest) => api.call('GET', '/health', undefined, { token: null });

describeNeeding(['temporal', 'small-disk'], 'While the disk of Postgres is full', () => {
  let server: SmallDiskPostgres;
  let api: ApiUnderTest;
  beforeAll(async () => {
    server = await startOnSmallDisk();
    await migrate(server.url);
    api = await startApiUnderTest({ databaseUrl: server.url });
  });
  afterAll(async () => {
    await api?.close();
    await server?.stop();
  });

  it('answers reads, says in words why it changes nothing, and is unavailable by that reason', async () => {
    const vm = await registered(api);
    expect((await healthOf(api)).status).toBe(200);
    server.fill();
    // nothing was refused yet, so Postgres is asked
    await until(async () => (await healthOf(api)).status !== 200);
    expect(await healthOf(api)).toMatchObject({
      status: 503,
      body: { parts: { postgres: { ok: false, message: 'disk full' } }, error: 'postgres: disk full' },
    });
    expect((await api.call('GET', `/api/vms/${vm.id}`)).status).toBe(200);
    for (let i = 0; i < 3; i++) {
      const refused = await api.call('POST', '/api/vms/auto-heal/policies', { name: 'the first of its table' });
      expect(refused).toMatchObject({
        status: 503,
        body: { error: 'The disk of the database is full; try again in a moment.' },
      });
      expect(refused.headers.get('retry-after')).toBe('5');
    }
    expect(statesIn(api)).toEqual(['Postgres: disk full']);
    server.free();
    await until(async () => (await healthOf(api)).status === 200);
    await until(() => statesIn(api).length > 1);
    expect(statesIn(api)).toEqual(['Postgres: disk full', 'Postgres works again']);
  });
});

describeNeeding(['temporal'], 'While Postgres is there and does not do its work', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest({
      cuttable: true,
      limits: { ...LIMITS.requests, connectMs: 2_000, statementMs: 800, answerMs: 1_500 },
    });
  });
  afterAll(() => api.close());

  it('answers 503 and why, when what is sent to it is dropped', async () => {
    const vm = await registered(api);
    api.link.silence();
    for (let i = 0; i < 5; i++) {
      const reply = await api.call('GET', `/api/vms/${vm.id}`);
      expect(reply).toMatchObject({
        status: 503,
        body: { error: 'The database does not answer; try again in a moment.' },
      });
    }
    expect(await healthOf(api)).toMatchObject({ status: 503, body: { error: 'postgres: not answering' } });
    api.link.mend();
    await until(async () => (await healthOf(api)).status === 200);
    expect((await api.call('GET', `/api/vms/${vm.id}`)).status).toBe(200);
    await until(() => statesIn(api).length > 1);
    expect(statesIn(api)).toEqual(['Postgres: not answering', 'Postgres works again']);
  });

  it('is unavailable when it can be read, and what this process writes itself is not stored', async () => {
    const { rows } = await api.sql('SELECT current_database() AS name');
    const url = new URL(api.link.url);
    url.pathname = `/${rows[0].name}`;
    const holder = query(url.href, 'BEGIN; LOCK TABLE listening_spans; SELECT pg_sleep(600)').catch(() => undefined);
    await until(async () => (await healthOf(api)).body.error === 'postgres: statement timeout');
    expect((await api.call('GET', '/api/vms')).status).toBe(200);
    await api.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`);
    await holder;
    await until(async () => (await healthOf(api)).status === 200);
  });
});
