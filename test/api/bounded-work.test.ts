import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { badRequest, parseRequest } from '../../api/parse-request.ts';
import { seedVm } from '../support/seed-vm.ts';
import { type ApiUnderTest, aVm, startApiUnderTest, tenantToken } from './api-under-test.ts';

const MAX_ANSWER = 64 * 1024;
const many = <Value>(count: number, value: (index: number) => Value) =>
  Array.from({ length: count }, (_, i) => value(i));

describe('A request that is wrong everywhere', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest();
  });
  afterAll(() => api.close());

  const long = 'é'.repeat(2_000);
  it.each([
    ['45,000 checks', { checks: many(45_000, () => ({ checkType: 'ping' })) }],
    ['100 checks with 190 fields that are none', { checks: many(100, () => wrongFields(190)) }],
    ['1,000 checks of no type', { checks: many(1_000, (i) => ({ checkType: `x${i}`, target: '\u0007'.repeat(100) })) }],
    ['fields with long names', { ...wrongFields(150, long) }],
    ['fields with names of control characters', { ...wrongFields(150, '\u0001'.repeat(400)) }],
    ['200,000 tags', { tags: many(200_000, () => '') }],
    ['50 tags that are none', { tags: many(50, () => long) }],
    ['150 options that are none', { checks: [{ checkType: 'http', options: wrongFields(150, long) }] }],
  ])('by %s is answered with 50 problems at most, and how many more, in 64 KB', async (_what, wrong) => {
    const reply = await api.call('POST', '/api/vms', aVm(wrong));
    expect(reply.status).toBe(400);
    expect(Buffer.byteLength(reply.text)).toBeLessThanOrEqual(MAX_ANSWER);
    expect(reply.body.errors.length).toBeLessThanOrEqual(50);
    expect(reply.body.errors.length).toBeGreaterThan(0);
  });

  it('says how many problems it does not name', async () => {
    const reply = await api.call('POST', '/api/vms', { ...aVm(), ...wrongFields(60) });
    expect(reply.body.errors).toHaveLength(50);
    expect(reply.body.error).toMatch(/; and 10 more$/);
  });

  it('is told what is needed, in words', async () => {
    const { body } = await api.call('POST', '/api/vms', { checks: [{}] });
    expect(body.errors).toContainEqual({ path: 'name', message: 'is needed' });
    expect(body.errors).toContainEqual({ path: 'checks.0.checkType', message: 'is needed' });
    expect((await api.call('POST', '/api/tenants', {})).body.errors).toContainEqual({
      path: 'id',
      message: 'is needed',
    });
    const long = { name: 'x'.repeat(300), tags: ['y'.repeat(300)], address: 'z'.repeat(300) };
    const tooLong = await api.call('POST', '/api/vms?', aVm(long));
    const paths = tooLong.body.errors.map(({ path, message }: { path: string; message: string }) => [path, message]);
    expect(paths).toEqual([
      ['name', expect.stringMatching(/^must have at most \d+ characters$/)],
      ['address', 'must have at most 253 characters'],
      ['tags.0', expect.stringMatching(/^must have at most \d+ characters$/)],
    ]);
    const cursor = await api.call('GET', `/api/vms?cursor=${'x'.repeat(600)}`);
    expect(cursor.body.errors).toEqual([{ path: 'cursor', message: 'must have at most 500 characters' }]);
    expect((await api.call('POST', '/api/vms', [])).body.errors).toEqual([
      { path: '', message: 'A JSON body is needed, with Content-Type: application/json.' },
    ]);
  });

  it('has its event loop’s delay in the metrics', async () => {
    const { text } = await api.call('GET', '/metrics');
    expect(text).toMatch(/^defib_nodejs_eventloop_lag_p99_seconds \S+$/m);
  });
});

describe('A field with a long text', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest();
  });
  afterAll(() => api.close());

  const long = (text: string) => text.repeat(40_000);
  it.each([
    ['address', 'dots', `:${long('.')}x`],
    ['address', 'digits and dots', `:${long('1.')}x`],
    ['address', 'zones', long('%a')],
    ['address', 'labels', long('a.')],
    ['cpu', 'blanks', `1${long(' ')}x`],
    ['ram', 'digits', long('1')],
    ['timestamp', 'digits', `${long('1')}x`],
    ['vmId', 'letters', long('a')],
  ])('is judged at once: %s with %s', async (field, _what, text) => {
    const [path, body] = field === 'address' ? ['/api/vms', aVm()] : ['/api/health/report', { vmId: 'x' }];
    const before = process.cpuUsage();
    const reply = await api.call('POST', path, { ...body, [field]: text });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6, 'CPU seconds').toBeLessThan(1);
  });
});

describe('A list in place of an object', () => {
  it('is not looked into, however long it is', () => {
    const list = new Proxy([], {
      ownKeys() {
        throw new Error('looked into');
      },
    });
    const { problems } = parseRequest({ body: z.object({ a: z.string() }) }, { query: {}, body: list });
    expect(problems).toHaveLength(1);
  });
});

describe('a refusal', () => {
  it('tells a part of what is very long, and never more than an answer holds', () => {
    const message = '\u0001'.repeat(100_000);
    const refusal = badRequest(many(60, (i) => ({ path: `b${i}`, message })));
    expect(refusal.problems[0]?.message).toHaveLength(2_000);
    expect(refusal.message).toMatch(/; and \d+ more$/);
    expect(JSON.stringify([refusal.message, refusal.message, refusal.problems]).length).toBeLessThan(MAX_ANSWER);
  });
});

function wrongFields(count: number, name = 'wrong'): Record<string, unknown> {
  return Object.fromEntries(many(count, (i) => [`${i}${name}`, {}]));
}

describe('A list', () => {
  it('is judged no further than it may be long', () => {
    let judged = 0;
    const element = z.string().refine(() => {
      judged++;
      return false;
    }, 'is wrong');
    const { problems } = parseRequest(
      { body: z.object({ tags: z.array(element).max(5, 'must be at most 5') }) },
      { query: {}, body: { tags: many(1_000, String) } },
    );
    expect(problems).toContainEqual({ path: 'tags', message: 'must be at most 5' });
    expect(judged).toBeLessThanOrEqual(20);
  });
});

describe('A page of VMs with many checks', () => {
  it('ends before its limit, and the pages together hold every VM once', async () => {
    const api = await startApiUnderTest();
    try {
      const token = await tenantToken(api, 'many-checks');
      const stored: string[] = [];
      for (let i = 0; i < 210; i++) stored.push(await seedVm(api.database, { tenantId: 'many-checks' }, []));
      await api.sql(
        `INSERT INTO check_configs (id, vm_id, check_type, name, interval_seconds, failure_threshold, success_threshold,
           options, enabled, created_at, updated_at)
         SELECT gen_random_uuid(), v.id, 'http', 'number ' || n, 60, 3, 1, '{}', true, now(), now()
         FROM vms v, generate_series(1, 50) n WHERE v.tenant_id = 'many-checks'`,
      );
      for (const [path, rows] of [
        ['/api/vms', 'vms'],
        ['/api/vms/health/overview', 'pods'],
      ] as const) {
        const read = async (more: string) =>
          (await api.call('GET', `${path}?limit=1000${more}`, undefined, { token })).body;
        const first = await read('');
        expect(first[rows]).toHaveLength(200);
        const second = await read(`&cursor=${first.nextCursor}`);
        expect(second.nextCursor).toBeNull();
        const ids = [...first[rows], ...second[rows]].map((row) => row.id ?? row.podId);
        expect(ids.toSorted()).toEqual(stored.toSorted());
      }
    } finally {
      await api.close();
    }
  });
});
