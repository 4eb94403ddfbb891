import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordNoticeClosed, recordNotices } from '../../db/notices/notices.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, startApiUnderTest, tenantToken } from './api-under-test.ts';

describeNeeding(['temporal'], 'Notices over the API', () => {
  let api: ApiUnderTest;
  let admin: string;
  beforeAll(async () => {
    api = await startApiUnderTest();
    admin = await tenantToken(api, 'acme');
  });
  afterAll(() => api.close());

  const about = (subject: string, tenantId: string | null, message = 'something is so') => ({
    kind: 'test',
    subject,
    tenantId,
    vmId: null,
    message,
  });
  const open = async (subject: string, tenantId: string | null, message?: string) =>
    (await recordNotices(api.database.orm, [about(subject, tenantId, message)], api.nowMs)).length === 1;
  const list = async (query = '', token?: string) =>
    (await api.call('GET', `/api/notices${query}`, undefined, token ? { token } : {})).body;

  it('is open once as long as it applies, with how often it was found, and opens anew when it applies again', async () => {
    expect(await open('a', 'acme')).toBe(true);
    expect(await open('a', 'acme', 'still\u0000 so')).toBe(false);
    expect((await list('', admin)).notices).toMatchObject([
      { kind: 'test', subject: 'a', message: 'still so', count: 2, closedAt: null },
    ]);
    expect(await recordNoticeClosed(api.database.orm, 'test', 'a', api.nowMs + 1_000)).toBe(true);
    expect(await recordNoticeClosed(api.database.orm, 'test', 'a', api.nowMs + 2_000)).toBe(false);
    expect(await open('a', 'acme')).toBe(true);
    expect((await list('', admin)).notices).toMatchObject([{ closedAt: null, count: 1 }, { count: 2 }]);
    expect((await list('?open=true', admin)).notices).toHaveLength(1);
    expect((await list('?open=false', admin)).notices).toHaveLength(1);
  });

  it('is for its tenant; those of the installation are for operators', async () => {
    await open('site/main', null);
    await open('b', 'default');
    const subjects = async (token?: string) =>
      (await list('', token)).notices.map(({ subject }: { subject: string }) => subject);
    expect(await subjects()).toEqual(['b', 'site/main']);
    expect(new Set(await subjects(admin))).toEqual(new Set(['a']));
    const agent = await tenantToken(api, 'acme', 'USER');
    expect(new Set(await subjects(agent))).toEqual(new Set(['a']));
  });

  it('pages', async () => {
    const first = await list('?limit=1', admin);
    const second = await list(`?limit=1&cursor=${first.nextCursor}`, admin);
    expect([first.notices.length, second.notices.length, second.nextCursor]).toEqual([1, 1, null]);
    expect((await api.call('GET', '/api/notices?open=maybe')).status).toBe(400);
  });
});
