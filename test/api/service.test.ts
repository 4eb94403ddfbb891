import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addToCount } from '../../db/upkeep/counts.ts';
import { recordStuckWorkflows } from '../../db/upkeep/stuck-workflows.ts';
import { type ApiUnderTest, OPERATOR_TOKEN, startApiUnderTest, tenantToken } from './api-under-test.ts';

describe('The service around the endpoints', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest();
  });
  afterAll(() => api.close());

  it('serves Prometheus metrics to operators alone, by route and never by id', async () => {
    await api.call('GET', '/api/vms/some-id-of-mine');
    const { status, text, headers } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain(
      'defib_http_request_duration_seconds_count{method="GET",route="/api/vms/:id",status="404"} 1',
    );
    for (const status of ['unknown', 'healthy', 'degraded', 'unhealthy']) {
      expect(text).toContain(`defib_vms{status="${status}"} 0`);
    }
    expect(text).toContain('defib_vms_unwatched 0');
    expect(text).toContain('defib_workflows_stuck 0');
    expect(text).toContain('defib_reconciled_seconds_ago Nan');
    expect(text).toContain('defib_vms_cannot_tell 0');
    expect(text).toContain('defib_results_let_go_total 0');
    expect(text).not.toContain('some-id-of-mine');
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(names.filter((name) => !name?.startsWith('defib_'))).toEqual([]);
    const admin = await tenantToken(api, 'default', 'ADMIN');
    expect((await api.call('GET', '/metrics', undefined, { token: admin })).status).toBe(403);
  });

  it('tells how many workflows could not go on, and how long ago that was found', async () => {
    await recordStuckWorkflows(api.database.pool, ['vm/1', 'heal/1/1'], api.nowMs - 90_000);
    const { text } = await api.call('GET', '/metrics');
    expect(text).toContain('defib_workflows_stuck 2');
    expect(text).toContain('defib_reconciled_seconds_ago 90');
  });

  it('tells how many results workers had to let go, ever', async () => {
    for (const count of [5, 2]) await addToCount(api.database.pool, 'results.let-go', count, api.nowMs);
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      expect((await api.call('GET', '/metrics')).text).toContain('defib_results_let_go_total 7');
    }
  });

  it('asks Postgres how it is once for many that ask for /health in a row', async () => {
    const { state } = api.database;
    const { probe } = state;
    let probes = 0;
    state.probe = () => {
      probes += 1;
      return probe();
    };
    for (let i = 0; i < 20; i++) await api.call('GET', '/health', undefined, { token: null });
    state.probe = probe;
    expect(probes).toBeLessThan(5);
  });

  it('describes itself, and shows that on a page that takes the token in a form', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/api/cloud-pods/{id}/health/config/{checkType}');
    expect(body.paths['/api/vms'].post.requestBody.content['application/json'].schema.required).toEqual([
      'name',
      'provider',
    ]);
    const ids = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((methods) =>
      Object.values(methods).map((method) => method.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(body.paths['/api/vms/{id}/check-now'].post).toMatchObject({ operationId: 'checkNow', deprecated: true });
    expect(body.paths['/api/vms/{id}/look-now'].post).toMatchObject({ operationId: 'lookNow' });
    expect(body.paths['/api/vms/{id}/look-now'].post).not.toHaveProperty('deprecated');
    const page = await api.call('GET', '/docs', undefined, { token: null });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
    for (const asset of [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!)) {
      expect((await api.call('GET', asset, undefined, { token: null })).status, asset).toBe(200);
    }
  });

  it('takes over a request id, or makes one, and never one that could break a log', async () => {
    const mine = await api.call('GET', '/api/status', undefined, { headers: { 'x-request-id': 'from-me:1' } });
    expect(mine.headers.get('x-request-id')).toBe('from-me:1');
    expect(api.logged()).toContain('"id":"from-me:1"');
    const made = await api.call('GET', '/nowhere', undefined, { headers: { 'x-request-id': 'a b"c' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.body.requestId).toBe(made.headers.get('x-request-id'));
  });

  it('logs neither headers, query strings nor bodies', async () => {
    await api.call(
      'POST',
      '/api/tokens?x=query-s3cret',
      { name: 'body-s3cret' },
      { headers: { 'x-h': 'header-s3cret' } },
    );
    const lines = api.logged();
    for (const secret of ['query-s3cret', 'body-s3cret', 'header-s3cret', OPERATOR_TOKEN])
      expect(lines).not.toContain(secret);
  });
});

describe('Rate limits', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest({ settings: { RATE_LIMIT_PER_MINUTE: '5', RATE_LIMIT_ADDRESS_PER_MINUTE: '20' } });
  });
  afterAll(() => api.close());

  it('are counted per token and per address, and say when to come back', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await api.call('GET', '/api/status')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const limited = await api.call('GET', '/api/status');
    expect(limited.body.error).toContain('More than 5 requests a minute from this token');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    const unknown = () => api.call('GET', '/api/status', undefined, { token: 'unknown' });
    for (let i = 0; i < 13; i++) expect((await unknown()).status).toBe(401);
    expect((await unknown()).body.error).toContain('from this address');
    expect((await api.call('GET', '/health', undefined, { token: null })).status).not.toBe(429);
  });
});
