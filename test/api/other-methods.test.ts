import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiUnderTest, startApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest();
});
afterAll(() => api.close());

it('other methods on a path that exists are answered 405, with those that it takes', async () => {
  const refused = await api.call('PUT', '/api/vms', {});
  expect(refused.status).toBe(405);
  expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
  expect(refused.body).toMatchObject({ title: 'Method not allowed', error: expect.stringContaining('/api/vms takes') });
  expect((await api.call('DELETE', '/api/vms/auto-heal/policies')).headers.get('allow')).toBe(
    'GET, HEAD, OPTIONS, POST',
  );
  expect((await api.call('PUT', '/no/such/path', {})).status).toBe(404);
});

it.each(['/health', '/docs'])('so are those of %s', async (path) => {
  const refused = await api.call('POST', path, {}, { token: null });
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  const asked = await api.call('OPTIONS', path, undefined, { token: null });
  expect([asked.status < 300, asked.headers.get('allow')]).toEqual([true, expect.stringContaining('GET, HEAD')]);
});

it('OPTIONS says what a path takes', async () => {
  const reply = await api.call('OPTIONS', '/api/vms/some-id');
  expect(reply.status).toBe(204);
  expect(reply.text).toBe('');
  expect(reply.headers.get('allow')).toBe('DELETE, GET, HEAD, OPTIONS, PATCH');
});

it('HEAD is GET without its body, and asks for a token too', async () => {
  const got = await api.call('GET', '/api/vms');
  const head = await api.call('HEAD', '/api/vms', undefined);
  expect(head.status).toBe(200);
  expect(head.headers.get('content-length')).toBe(got.headers.get('content-length'));
  expect(head.text).toBe('');
  expect((await api.call('HEAD', '/api/vms', undefined, { token: null })).status).toBe(401);
});
