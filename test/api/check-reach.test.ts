import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, aVm, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

const HERE = { checkType: 'http', target: 'http://127.0.0.1:8080/' };
const THERE = { checkType: 'http', target: '/' };

describe('Checks of this machine, where all of Defib is on it', () => {
  let api: ApiUnderTest;
  let user: string;
  let admin: string;
  beforeAll(async () => {
    api = await startApiUnderTest({ adminsReachThisMachine: true });
    user = await tenantToken(api, 'default', 'USER');
    admin = await tenantToken(api, 'default', 'ADMIN');
  });
  afterAll(() => api.close());

  const as = (token: string) => ({ token });
  const configure = (id: string, check: object, token: string) =>
    api.call('PUT', `/api/vms/${id}/health/config`, check, as(token));
  const change = (id: string, body: object, token: string) => api.call('PATCH', `/api/vms/${id}`, body, as(token));
  const remove = (id: string, token: string) =>
    api.call('DELETE', `/api/vms/${id}/health/config/http`, undefined, as(token));
  /** Who set the VM's http check last, as stored. */
  async function aimedBy(id: string): Promise<string> {
    const sql = "SELECT aimed_by FROM check_configs WHERE vm_id = $1 AND check_type = 'http'";
    return (await api.sql(sql, [id])).rows[0].aimed_by;
  }

  it('are set by administrators, and by nobody else', async () => {
    const { id } = await registered(api, {}, admin);
    const refused = await configure(id, HERE, user);
    expect(refused.status).toBe(403);
    expect(refused.body.error).toContain('only checks that an administrator set connect there');
    expect((await configure(id, HERE, admin)).status).toBe(200);
    expect(await aimedBy(id)).toBe('ADMIN');
    for (const wrong of [{ checks: [HERE] }, { address: '127.0.0.1' }, { address: 'localhost', checks: [THERE] }]) {
      expect((await api.call('POST', '/api/vms', aVm(wrong), as(user))).status, JSON.stringify(wrong)).toBe(403);
      expect((await api.call('POST', '/api/vms', aVm(wrong), as(admin))).status).toBe(201);
    }
  });

  it('are changed, moved and removed by administrators alone; others set what does not concern where they lead', async () => {
    const { id } = await registered(api, { address: '127.0.0.1', checks: [THERE] }, admin);
    for (const aim of [
      { target: '/other' },
      { target: 'http://192.0.2.10/' },
      { options: { followRedirects: true } },
    ]) {
      expect((await configure(id, { checkType: 'http', ...aim }, user)).status, JSON.stringify(aim)).toBe(403);
    }
    for (const address of ['192.0.2.10', 'localhost', null]) {
      expect((await change(id, { address }, user)).status, String(address)).toBe(403);
    }
    const enable = (enabled: boolean, token: string) => configure(id, { checkType: 'http', enabled }, token);
    expect((await remove(id, user)).status).toBe(403);
    expect((await api.call('DELETE', `/api/vms/${id}`, undefined, { token: user })).status).toBe(403);
    expect((await enable(false, user)).status).toBe(403);
    expect((await enable(false, admin)).status).toBe(200);
    expect((await enable(true, user)).status).toBe(403);
    expect((await enable(true, admin)).status).toBe(200);
    expect((await configure(id, { checkType: 'http', intervalSeconds: 30 }, user)).status).toBe(200);
    expect((await change(id, { name: 'renamed' }, user)).status).toBe(200);
    expect(await aimedBy(id)).toBe('ADMIN');
    expect((await configure(id, { checkType: 'http', target: '/other' }, admin)).status).toBe(200);
    expect((await change(id, { address: '192.0.2.10' }, admin)).status).toBe(200);
    expect((await remove(id, admin)).status).toBe(200);
    expect((await api.call('DELETE', `/api/vms/${id}`, undefined, { token: user })).status).toBe(200);
  });

  it('are not disabled by others in the moment in which an administrator aims them there', async () => {
    const { id } = await registered(api, { externalId: 'two-names', checks: [THERE] }, user);
    const { pool } = api.database;
    const { query } = pool;
    // the other name, because changes by the same one take turns within a process
    pool.query = (async (...asked: Parameters<typeof query>) => {
      pool.query = query;
      const found = await Reflect.apply(query, pool, asked);
      if (JSON.stringify(asked).includes('find-vm')) await configure('two-names', HERE, admin);
      else pool.query = overtaken;
      return found;
    }) as typeof query;
    const overtaken = pool.query;
    expect((await remove(id, user)).status).toBe(403);
    expect(pool.query).toBe(query);
  });

  it('belong to whoever aimed them last, at whatever', async () => {
    const { id } = await registered(api, { checks: [THERE] }, user);
    expect(await aimedBy(id)).toBe('USER');
    await configure(id, { checkType: 'http', intervalSeconds: 30 }, admin);
    expect(await aimedBy(id)).toBe('USER');
    await configure(id, { ...THERE, intervalSeconds: 30 }, admin);
    expect(await aimedBy(id)).toBe('ADMIN');
    await configure(id, { ...THERE, intervalSeconds: 31 }, user);
    expect(await aimedBy(id)).toBe('USER');
    await configure(id, THERE, admin);
    await configure(id, { checkType: 'http', options: { followRedirects: true } }, user);
    expect(await aimedBy(id)).toBe('USER');
    await configure(id, { checkType: 'http', options: {} }, admin);
    expect(await aimedBy(id)).toBe('ADMIN');
    await change(id, { address: '192.0.2.11' }, user);
    expect(await aimedBy(id)).toBe('USER');
  });
});

describe('What a tenant’s checks may reach', () => {
  let api: ApiUnderTest;
  let admin: string;
  beforeAll(async () => {
    api = await startApiUnderTest();
    admin = await tenantToken(api, 'limited');
  });
  afterAll(() => api.close());

  it('is given by an operator, in CIDRs and addresses, and then is all that they reach', async () => {
    const give = (checkTargets: unknown, options = {}) =>
      api.call('PATCH', '/api/tenants/limited', { checkTargets }, options);
    const register = (address: string) => api.call('POST', '/api/vms', aVm({ address }), { token: admin });
    expect((await register('10.30.0.1')).status).toBe(201);
    expect((await give(['10.20.0.0/16', 'fd20::5'])).body.checkTargets).toEqual(['10.20.0.0/16', 'fd20::5']);
    const refused = await register('10.30.0.2');
    expect(refused.status).toBe(400);
    expect(refused.body.error).toContain("none of the addresses that this tenant's checks may reach");
    expect((await register('10.20.0.2')).status).toBe(201);
    const elsewhere = { address: '10.20.0.3', checks: [{ checkType: 'http', target: 'http://10.20.9.9/' }] };
    expect((await api.call('POST', '/api/vms', aVm(elsewhere), { token: admin })).status).toBe(201);
    expect((await give(['everything', '10.0.0.0/33'])).body.errors).toHaveLength(2);
    expect((await give([], { token: admin })).status).toBe(403);
    expect((await give([])).status).toBe(200);
    expect((await register('10.30.0.2')).status).toBe(201);
    for (const id of ['none', 'a%00b', '%F0%9F%92%A5']) {
      expect((await api.call('PATCH', `/api/tenants/${id}`, { name: 'x' })).status, id).toBe(404);
    }
  });
});
