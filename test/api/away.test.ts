import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { seedVm } from '../support/seed-vm.ts';
import { type ApiUnderTest, aVm, registered, startApiUnderTest } from './api-under-test.ts';

describe('While Temporal is away', () => {
  let api: ApiUnderTest;
  const silent = createServer();
  beforeAll(async () => {
    // takes connections and never says a word: the worst way to be away
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    api = await startApiUnderTest({ temporalAddress: `127.0.0.1:${port}` });
    await seedVm(api.database, { name: 'old', externalId: 'old', announcedVersion: 1 }, []);
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
    expect(health.body.error).toBe('temporal does not answer');
  });

  it('takes a deletion with 202', async () => {
    expect(await api.call('DELETE', '/api/vms/old')).toMatchObject({
      status: 202,
      body: { deleted: true, announced: false },
    });
    expect((await api.call('GET', '/api/vms/old')).status).toBe(404);
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
    expect(health).toMatchObject({ status: 503, body: { error: 'postgres does not answer' } });
    api.link.mend();
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.name).toBe(vm.name);
    expect(api.logged()).not.toContain('postgres://');
  });
});
