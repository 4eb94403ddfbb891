import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, registered, startApiUnderTest } from './api-under-test.ts';

const MANY = 30;
const named = (index: number) => `check-${index}`;

describeNeeding(['temporal'], 'Changes of one VM at the same time', () => {
  /** Two processes on one database. */
  let apis: [ApiUnderTest, ApiUnderTest];
  beforeAll(async () => {
    const first = await startApiUnderTest();
    const { rows } = await first.sql('SELECT current_database() AS name');
    const url = new URL(first.link.url);
    url.pathname = rows[0].name;
    apis = [first, await startApiUnderTest({ databaseUrl: url.href })];
  });
  afterAll(async () => {
    for (const api of apis.toReversed()) await api.close();
  });

  const configure = (api: ApiUnderTest, id: string, check: object, headers = {}) =>
    api.call('PUT', `/api/vms/${id}/health/config`, { checkType: 'tcp', target: 22, ...check }, { headers });

  it('all succeed where they change different things, whichever process they ask', async () => {
    const { id } = await registered(apis[0], { checks: [] });
    const replies = await Promise.all(
      Array.from({ length: MANY }, (_, i) => configure(apis[i % 2]!, id, { name: named(i), intervalSeconds: 10 + i })),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: MANY }, () => 200));
    const { body } = await apis[0].call('GET', `/api/vms/${id}`);
    const stored = body.checks.map((check: { name: string; intervalSeconds: number }) => check);
    expect(stored).toHaveLength(MANY);
    for (let i = 0; i < MANY; i++) {
      expect(stored.find((check: { name: string }) => check.name === named(i))).toMatchObject({
        intervalSeconds: 10 + i,
      });
    }
  });

  it('of the same thing all succeed too, and the last one holds, unless somebody names what he has read', async () => {
    const { id } = await registered(apis[0], { checks: [] });
    const { body: made, headers } = await configure(apis[0], id, {});
    expect(made.revision).toBe(1);
    expect(headers.get('etag')).toBe('"1"');
    const replies = await Promise.all(
      [20, 30].map((intervalSeconds) => configure(apis[0], id, { intervalSeconds }, { 'if-match': '"1"' })),
    );
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const refused = replies.find(({ status }) => status === 409);
    expect(refused?.body.error).toBe(
      'Somebody else changed this since you read it: If-Match names "1", and its revision is now "2".',
    );
    expect((await configure(apis[1], id, { intervalSeconds: 40 })).body.revision).toBe(3);
    const new_ = { name: 'another' };
    expect((await configure(apis[0], id, new_, { 'if-match': '"1"' })).body.error).toContain('it is not there');
    expect((await configure(apis[0], id, new_, { 'if-match': '*' })).status).toBe(409);
    expect((await configure(apis[0], id, {}, { 'if-match': 'W/"3"' })).status).toBe(409);
    expect((await configure(apis[0], id, {}, { 'if-match': '"9", "3"' })).status).toBe(200);
    expect((await configure(apis[0], id, {}, { 'if-match': '*' })).status).toBe(200);
  });

  it('are removals too: of what was changed since somebody read it, none', async () => {
    const { id, revision } = await registered(apis[0], { checks: [] });
    const { body: check } = await configure(apis[0], id, {});
    await configure(apis[0], id, { intervalSeconds: 20 });
    await apis[0].call('PATCH', `/api/vms/${id}`, { tags: ['a'] });
    const remove = async (path: string, read: number) =>
      (await apis[0].call('DELETE', `/api/vms/${id}${path}`, undefined, { headers: { 'if-match': `"${read}"` } }))
        .status;
    expect(await remove('/health/config/tcp', check.revision)).toBe(409);
    expect(await remove('/health/config/tcp', check.revision + 1)).toBe(200);
    expect(await remove('', revision)).toBe(409);
    expect(await remove('', revision + 1)).toBe(200);
  });

  it('concern a VM’s own settings or one of its checks', async () => {
    const { id, revision } = await registered(apis[0], {});
    const change = (body: object, ifMatch: string) =>
      apis[0].call('PATCH', `/api/vms/${id}`, body, { headers: { 'if-match': ifMatch } });
    const etag = (await apis[0].call('GET', `/api/vms/${id}`)).headers.get('etag') ?? '';
    expect(etag).toBe(`"${revision}"`);
    await configure(apis[0], id, {});
    expect((await change({ tags: ['a'] }, etag)).status).toBe(200);
    expect((await change({ tags: ['b'] }, etag)).status).toBe(409);
    const read = await apis[0].call('GET', `/api/vms/${id}`);
    expect(read.body.tags).toEqual(['a']);
    expect((await change({ tags: ['b'] }, read.headers.get('etag') ?? '')).headers.get('etag')).toBe('"3"');
  });
});
