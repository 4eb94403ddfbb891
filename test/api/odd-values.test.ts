import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedVm } from '../support/seed-vm.ts';
import { type ApiUnderTest, aVm, type Reply, registered, startApiUnderTest } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

const CURSOR_LISTS = [
  '/api/vms',
  '/api/vms/health/overview',
  '/api/vms/auto-heal/policies',
  '/api/vms/odd/health/history',
  '/api/vms/odd/incidents',
  '/api/vms/odd/metrics',
  '/api/notices',
  '/api/providers',
  '/api/tokens',
  '/api/tenants',
];

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
  await registered(api, { externalId: 'odd' });
});
afterAll(() => api.close());

const paths = (reply: Reply) => reply.body.errors.map((problem: { path: string }) => problem.path);
const cursorOf = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');

describe('A cursor', () => {
  it.each([
    [[9_007_199_254_740_991]],
    [[8_640_000_000_000_001]],
    [[2_147_483_648]],
    [[-1]],
    [[1.5]],
    [[1e308]],
    [['\u0000']],
    [['a\ud800']],
    [['x'.repeat(300)]],
    [[null]],
    [[[1]]],
    [[1, 2]],
    [{}],
    [[8_640_000_000_000_001, '01a20f33-e956-70de-8e62-b56602b68652']],
    [[1, '\u0000']],
  ])('of %j is refused by every list, or none of its own', async (place) => {
    for (const list of CURSOR_LISTS) {
      const reply = await api.call('GET', `${list}?cursor=${cursorOf(place)}`);
      expect([200, 400], `${list}: ${reply.text}`).toContain(reply.status);
      if (reply.status === 400) expect(paths(reply)).toEqual(['cursor']);
    }
  });

  it('of whatever bytes is answered by every list', async () => {
    const place = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.oneof(fc.double(), fc.maxSafeInteger(), fc.string({ unit: 'binary' }))),
    );
    const cursor = fc.oneof(place.map(cursorOf), fc.string(), fc.base64String());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CURSOR_LISTS), cursor, async (list, given) => {
        const reply = await api.call('GET', `${list}?cursor=${encodeURIComponent(given.toWellFormed())}`);
        expect([200, 400], reply.text).toContain(reply.status);
      }),
      { numRuns: 300 },
    );
  });

  it('leads through a list from page to page, as before', async () => {
    for (let made = 0; made < 3; made++) await registered(api);
    const all = (await api.call('GET', '/api/vms')).body.vms.map((vm: { id: string }) => vm.id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await api.call('GET', `/api/vms?limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.vms.map((vm: { id: string }) => vm.id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(all);
    expect((await api.call('GET', `/api/vms?cursor=${cursorOf([all[0]])}`)).body.vms).toHaveLength(all.length - 1);
  });
});

describe('Text that Postgres can not hold', () => {
  it('is refused in a QMP socket', async () => {
    for (const broken of ['\ud800', '\udc00a', '\u0000']) {
      const provider = { kind: 'qemu', qmpSocket: `${api.sockets}/${broken}.sock` };
      const reply = await api.call('POST', '/api/vms', aVm({ provider }));
      expect(reply.status, reply.text).toBe(400);
      expect(paths(reply)).toEqual(['provider.qmpSocket']);
    }
  });

  it('names no provider', async () => {
    for (const id of ['%00', 'a%00b']) {
      expect((await api.call('POST', `/api/providers/${id}/test`)).status).toBe(404);
      expect((await api.call('PATCH', `/api/providers/${id}`, {})).status).toBe(404);
      expect((await api.call('DELETE', `/api/providers/${id}`)).status).toBe(404);
    }
  });
});

describe('A body', () => {
  const post = (raw: Uint8Array<ArrayBuffer>, charset = 'utf-8') =>
    api.call('POST', '/api/vms', undefined, {
      raw,
      headers: { 'content-type': `application/json; charset=${charset}` },
    });
  const body = JSON.stringify(aVm({ name: 'na*me' }));

  it.each([
    ['a byte that begins no character', [0xff]],
    ['a lone continuation', [0x80]],
    ['a character cut short', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a character beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ])('with %s is refused, and nothing is stored', async (_title, bytes) => {
    const before = await api.counts();
    const [left = '', right = ''] = body.split('*');
    const reply = await post(Buffer.concat([Buffer.from(left), Buffer.from(bytes), Buffer.from(right)]));
    expect(reply.status, reply.text).toBe(400);
    expect(reply.body.error).toBe('The body is not valid UTF-8.');
    expect(await api.counts()).toEqual(before);
  });

  it('is UTF-8, and in no other encoding', async () => {
    expect((await post(Buffer.from(body.replace('*', 'ä💥')))).body.name).toBe('naä💥me');
    for (const charset of ['utf-16', 'utf-16le', 'utf-32', 'utf-7', 'latin1']) {
      expect((await post(Buffer.from(body, 'utf16le'), charset)).status).toBe(415);
    }
  });
});

describe("A VM's address", () => {
  const odd = ['2852039166', '0xa9fea9fe', '127.1', '..', '_', '--help', '010.1.1.1', '256.1.1.1', '1:2', ':::', '-w'];

  it.each(odd)('is not %j', async (address) => {
    const made = await api.call('POST', '/api/vms', aVm({ address, checks: [] }));
    expect(made.status, made.text).toBe(400);
    expect(paths(made)).toEqual(['address']);
    const changed = await api.call('PATCH', '/api/vms/odd', { address });
    expect(changed.status, changed.text).toBe(400);
    expect(paths(changed)).toEqual(['address']);
  });

  it.each(['192.0.2.7', '2001:db8::7', 'web-1.example.com.', 'stack_web_1', 'r1---sn.example'])(
    'is %j',
    async (address) => {
      expect((await registered(api, { address })).address).toBe(address);
    },
  );

  it.each(odd)('that was stored as %j is answered, and its VM changed, as before', async (address) => {
    const id = await seedVm(api.database, { name: `was ${address}`, address }, [{ checkType: 'agent' }]);
    expect((await api.call('GET', `/api/vms/${id}`)).body).toMatchObject({ address, name: `was ${address}` });
    expect((await api.call('GET', `/api/vms?q=${encodeURIComponent(address)}`)).body.vms).toContainEqual(
      expect.objectContaining({ id, address }),
    );
    const changed = await api.call('PATCH', `/api/vms/${id}`, { name: 'another' });
    expect(changed).toMatchObject({ status: 200, body: { address, name: 'another' } });
    const check = await api.call('PUT', `/api/vms/${id}/health/config`, { checkType: 'agent', intervalSeconds: 30 });
    expect(check).toMatchObject({ status: 200, body: { intervalSeconds: 30 } });
    expect((await api.call('GET', `/api/vms/${id}/health`)).body.pod.ipAddress).toBe(address);
    expect((await api.call('PATCH', `/api/vms/${id}`, { address: '192.0.2.9' })).status).toBe(200);
  });
});

describe('A time', () => {
  const notInstants = ['banana 2027', '2027-02-31T00:00:00Z', '2027-02-31', '2027-06-01T00:00:00', 'June 1 2027', ''];

  it.each(notInstants)('is not %j', async (at) => {
    const token = await api.call('POST', '/api/tokens', { name: 'x', role: 'USER', expiresAt: at });
    expect(token.status, token.text).toBe(400);
    expect(paths(token)).toEqual(['expiresAt']);
    expect(token.body.error).toContain('ISO 8601 with its zone');
    const query = encodeURIComponent(at);
    const metrics = await api.call('GET', `/api/vms/odd/metrics?from=${query}&to=${query}`);
    expect(paths(metrics)).toEqual(['from', 'to']);
    const report = { vmId: 'odd', timestamp: at, reports: [{ timestamp: at }] };
    expect(paths(await api.call('POST', '/api/health/report', report))).toEqual(['timestamp', 'reports.0.timestamp']);
  });

  it.each([
    ['2099-06-01T02:00:00+02:00', '2099-06-01T00:00:00.000Z'],
    ['4083955200', '2099-06-01T00:00:00.000Z'],
    [4_083_955_200, '2099-06-01T00:00:00.000Z'],
    [4_083_955_200_000, '2099-06-01T00:00:00.000Z'],
  ])('may be %j', async (at, instant) => {
    const token = await api.call('POST', '/api/tokens', { name: 'x', role: 'USER', expiresAt: at });
    expect(token).toMatchObject({ status: 201, body: { expiresAt: instant } });
  });
});
