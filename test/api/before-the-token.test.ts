import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type ApiUnderTest, OPERATOR_TOKEN, startApiUnderTest, tenantToken } from './api-under-test.ts';

const NESTED = '['.repeat(500_000);
const LARGE = JSON.stringify({ name: 'x'.repeat(2_000_000) });

describe('Before its token is known a request', () => {
  let api: ApiUnderTest | undefined;
  afterEach(() => api?.close());

  it.each([
    ['nested brackets', NESTED],
    ['a large body', LARGE],
    ['broken JSON', '{"a":'],
    ['no modest shape', JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [i, 1])))],
  ])('is refused without a look at %s', async (_what, raw) => {
    api = await startApiUnderTest();
    for (const token of [null, 'wrong']) {
      expect((await api.call('POST', '/api/vms', undefined, { token, raw })).status).toBe(401);
    }
    const user = await tenantToken(api, 'default', 'USER');
    const forbidden = await api.call('POST', '/api/tenants', undefined, { token: user, raw });
    expect(forbidden.status).toBe(403);
  });

  it.each([
    ['nested deeper than 20 levels', NESTED],
    ['has more than 200 fields', JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [i, 1])))],
  ])('and once it is known, what is %s is not parsed', async (words, raw) => {
    api = await startApiUnderTest();
    const refused = await api.call('POST', '/api/vms', undefined, { raw });
    expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining(words)]);
  });

  it('counts as a wrong token, and is soon refused with the time to wait; tokens that were right there go on', async () => {
    api = await startApiUnderTest({ settings: { RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: '3' } });
    const [seen, unseen] = [await tenantToken(api, 'seen'), await tenantToken(api, 'unseen')];
    expect((await api.call('GET', '/api/vms', undefined, { token: seen })).status).toBe(200);
    const statuses = [];
    for (const token of ['wrong', null, 'wrong', 'wrong', null]) {
      statuses.push((await api.call('GET', '/api/vms', undefined, { token })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const refused = await api.call('GET', '/api/vms', undefined, { token: unseen });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.error).toContain('More than 3 wrong tokens a minute from this address');
    for (const token of [seen, OPERATOR_TOKEN]) {
      expect((await api.call('GET', '/api/vms', undefined, { token })).status).toBe(200);
    }
    expect((await api.call('GET', '/health', undefined, { token: null })).status).not.toBe(429);
  });

  it('asks nothing of the database once it is refused for wrong tokens', async () => {
    api = await startApiUnderTest({ settings: { RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: '1' } });
    await api.call('GET', '/api/vms');
    await api.call('GET', '/api/vms', undefined, { token: 'wrong' });
    let queries = 0;
    const { pool } = api.database;
    const query = pool.query.bind(pool);
    pool.query = ((...args: Parameters<typeof query>) => {
      queries++;
      return query(...args);
    }) as typeof pool.query;
    expect((await api.call('GET', '/api/vms', undefined, { token: 'wrong again' })).status).toBe(429);
    expect(queries).toBe(0);
    await api.call('GET', '/api/vms');
    expect(queries).toBeGreaterThan(0);
  });

  it('is judged by its Authorization, whatever the header of older agents says', async () => {
    api = await startApiUnderTest();
    const right = { 'x-agent-token': OPERATOR_TOKEN };
    expect((await api.call('GET', '/api/vms', undefined, { token: null, headers: right })).status).toBe(200);
    for (const authorization of ['Bearer wrong', 'Basic x', '']) {
      const both = { token: null, headers: { ...right, authorization } };
      expect((await api.call('GET', '/api/vms', undefined, both)).status, authorization).toBe(401);
    }
  });

  it('forgets a token that was revoked', async () => {
    api = await startApiUnderTest({ settings: { RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: '2' } });
    const token = await tenantToken(api, 'gone');
    expect((await api.call('GET', '/api/vms', undefined, { token })).status).toBe(200);
    await api.sql("UPDATE api_tokens SET revoked_at = now() WHERE tenant_id = 'gone'");
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await api.call('GET', '/api/vms', undefined, { token })).status);
    expect(statuses).toEqual([401, 401, 429, 429]);
  });
});

describe('The address that requests are counted by', () => {
  const from = (client: string) => ({ headers: { 'x-forwarded-for': client }, token: null });
  const settings = { RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: '1' };
  let api: ApiUnderTest;
  afterEach(() => api.close());

  it('is the connection’s, whatever a client says', async () => {
    api = await startApiUnderTest({ settings });
    expect((await api.call('GET', '/api/vms', undefined, from('192.0.2.1'))).status).toBe(401);
    expect((await api.call('GET', '/api/vms', undefined, from('192.0.2.2'))).status).toBe(429);
  });

  it('is the client’s where a trusted proxy says so', async () => {
    api = await startApiUnderTest({ settings: { ...settings, TRUSTED_PROXIES: '127.0.0.0/8,::1' } });
    for (const client of ['192.0.2.1', '192.0.2.2']) {
      expect((await api.call('GET', '/api/vms', undefined, from(client))).status).toBe(401);
      expect((await api.call('GET', '/api/vms', undefined, from(client))).status).toBe(429);
    }
  });

  it('is one for all IPv6 addresses of a /64, and for both spellings of an IPv4 address', async () => {
    api = await startApiUnderTest({ settings: { ...settings, TRUSTED_PROXIES: '127.0.0.0/8,::1' } });
    const statusFrom = async (client: string) => (await api.call('GET', '/api/vms', undefined, from(client))).status;
    expect(await statusFrom('2001:db8:0:1::1')).toBe(401);
    expect(await statusFrom('2001:db8:0:1:ffff::2')).toBe(429);
    expect(await statusFrom('2001:db8:0:2::1')).toBe(401);
    expect(await statusFrom('192.0.2.1')).toBe(401);
    expect(await statusFrom('::ffff:192.0.2.1')).toBe(429);
  });
});

describe('Limits that API processes share', () => {
  const apis: ApiUnderTest[] = [];
  afterAll(() => Promise.all(apis.map((api) => api.close())));

  it('count requests to all of them, and go on in memory while the database is away', async () => {
    const settings = {
      RATE_LIMIT_STORE: 'postgres',
      RATE_LIMIT_PER_MINUTE: '4',
      RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: '2',
    };
    const first = await startApiUnderTest({ settings, cuttable: true });
    const { rows } = await first.sql('SELECT current_database() AS name');
    const url = new URL(first.link.url);
    expect(url.pathname).toBe(`/${rows[0].name}`);
    const second = await startApiUnderTest({ settings, databaseUrl: url.href });
    apis.push(second, first);
    const statuses = [];
    for (const api of [first, second, first, second, second, first]) {
      statuses.push((await api.call('GET', '/api/vms')).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    for (const api of [first, second]) {
      expect((await api.call('GET', '/api/vms', undefined, { token: 'wrong' })).status).toBe(401);
    }
    for (const api of [first, second]) {
      expect((await api.call('GET', '/api/vms', undefined, { token: 'wrong' })).status).toBe(429);
    }
    first.link.cut();
    // its answer is that of the memory that takes over, not an internal error
    expect((await first.call('GET', '/api/vms', undefined, { token: 'other' })).status).toBe(503);
  });
});
