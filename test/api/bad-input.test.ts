import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, aVm, type Reply, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

describeNeeding(['temporal'], 'Bad input', () => {
  let api: ApiUnderTest;
  let vm: { id: string; agentToken: string };
  beforeAll(async () => {
    api = await startApiUnderTest();
    vm = await registered(api, { externalId: 'good' });
  });
  afterAll(() => api.close());

  /** Sends it, and sees that nothing was stored. */
  async function refused(status: number, send: () => Promise<Reply>): Promise<Reply> {
    const before = await api.counts();
    const reply = await send();
    expect(reply.status, reply.text).toBe(status);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.body).toMatchObject({ status, error: reply.body.detail });
    expect(await api.counts()).toEqual(before);
    return reply;
  }

  const register = (body: unknown) => refused(400, () => api.call('POST', '/api/vms', body));
  const configure = (body: unknown) => refused(400, () => api.call('PUT', '/api/vms/good/health/config', body));
  const paths = (reply: Reply) => reply.body.errors.map((problem: { path: string }) => problem.path).toSorted();

  it('names every problem of a registration at once', async () => {
    const reply = await register({
      address: '192.0.2.9',
      colour: 'red',
      provider: { kind: 'qemu', qmpSocket: '/etc/passwd' },
      checks: [
        { checkType: 'snmp' },
        { checkType: 'http', target: 'file:///etc/passwd' },
        { checkType: 'tcp', target: 70000, intervalSeconds: 0 },
        { checkType: 'ping', intervalSeconds: 5, timeoutSeconds: 6 },
        { checkType: 'ping', failureThreshold: 0, nope: 1 },
      ],
    });
    expect(paths(reply)).toEqual(
      [
        'name',
        'colour',
        'provider.qmpSocket',
        'checks.0.checkType',
        'checks.1.target',
        'checks.2.target',
        'checks.2.intervalSeconds',
        'checks.3.timeoutSeconds',
        'checks.4.failureThreshold',
        'checks.4.nope',
        'checks.4.name',
      ].toSorted(),
    );
    expect(reply.body.error).toContain('Unknown check type: snmp');
  });

  it('judges the checks of a VM whose address is refused as those of some VM with an address', async () => {
    const checks = [{ checkType: 'ping' }, { checkType: 'http', target: '/up' }, { checkType: 'tcp', target: 'x' }];
    const reply = await register(aVm({ address: 'no address!', checks }));
    expect(paths(reply)).toEqual(['address', 'checks.2.target']);
    expect(paths(await register(aVm({ address: null, checks })))).toEqual(
      [0, 1, 2, 2].map((n) => `checks.${n}.target`),
    );
  });

  it('names every problem of a change at once, those with what is stored too', async () => {
    const change = { name: '', address: null, provider: { kind: 'qemu', qmpSocket: '/etc/passwd' } };
    const reply = await refused(400, () => api.call('PATCH', '/api/vms/good', change));
    expect(paths(reply)).toEqual(['address', 'name', 'provider.qmpSocket']);
    expect(reply.body.error).toContain('does not fit its checks');
  });

  it.each([
    ['an unknown check type', { checkType: 'x' }, 'checkType', 'Unknown check type: x'],
    ['no check type', {}, 'checkType', 'is needed'],
    ['an interval of 0', { checkType: 'ping', intervalSeconds: 0 }, 'intervalSeconds', 'from 1 to 86400'],
    ['an interval of a day and a second', { checkType: 'ping', intervalSeconds: 86_401 }, 'intervalSeconds', 'from 1'],
    ['half a second', { checkType: 'ping', intervalSeconds: 1.5 }, 'intervalSeconds', 'a whole number'],
    ['a timeout longer than the interval', { checkType: 'ping', timeoutSeconds: 61 }, 'timeoutSeconds', 'longer'],
    ['a threshold of 0', { checkType: 'ping', successThreshold: 0 }, 'successThreshold', 'from 1'],
    ['port 70000', { checkType: 'tcp', target: '70000' }, 'target', '1 to 65535'],
    ['a file: URL', { checkType: 'http', target: 'file:///etc/passwd' }, 'target', 'http'],
    ['the metadata service', { checkType: 'http', target: 'http://169.254.169.254/' }, 'target', 'no check may ever'],
    ["Temporal's port", { checkType: 'http', target: 'http://127.0.0.1:7233/' }, 'target', 'Defib itself'],
    ['loopback', { checkType: 'http', target: 'http://localhost:9999/' }, 'target', 'CHECK_TARGETS_ALLOW'],
    ['an unknown option', { checkType: 'http', options: { shell: true } }, 'options', 'shell'],
    ['NUL in a name', { checkType: 'ping', name: 'a\u0000b' }, 'name', 'control characters'],
  ])('refuses %s', async (_title, body, path, message) => {
    const reply = await configure(body);
    expect(paths(reply)).toEqual([path]);
    expect(reply.body.errors[0].message).toContain(message);
  });

  it('never repeats a password from a target', async () => {
    const reply = await configure({ checkType: 'http', target: 'http://me:hunter2@192.0.2.10/' });
    expect(reply.text).not.toContain('hunter2');
    expect(api.logged()).not.toContain('hunter2');
  });

  it('refuses a QMP socket outside the folders in the same words whether or not it is there', async () => {
    const outside = join(api.sockets, '..');
    writeFileSync(join(api.sockets, 'plain-file'), '');
    mkdirSync(join(api.sockets, 'folder'));
    symlinkSync('/etc/passwd', join(api.sockets, 'link'));
    const wrong = ['/etc/passwd', '/no/such/thing', outside, 'relative.sock', '', `${api.sockets}/a\u0000b`];
    const inside = ['plain-file', 'folder', 'link', '../../etc/passwd'].map((name) => join(api.sockets, name));
    const told = new Set<string>();
    for (const qmpSocket of [...wrong, ...inside]) {
      const reply = await register(aVm({ provider: { kind: 'qemu', qmpSocket } }));
      expect(paths(reply)).toEqual(['provider.qmpSocket']);
      told.add(reply.body.error);
    }
    expect(told.size).toBe(1);
  });

  it('lets only administrators name a QMP socket, and only they see it', async () => {
    const user = await tenantToken(api, 'default', 'USER');
    const provider = { kind: 'qemu', qmpSocket: `${api.sockets}/seen.sock` };
    await refused(403, () => api.call('POST', '/api/vms', aVm({ provider }), { token: user }));
    await refused(403, () => api.call('PATCH', '/api/vms/good', { provider }, { token: user }));
    const theirs = await registered(api, { provider: { kind: 'qemu', qmpSocket: `${api.sockets}/not-theirs.sock` } });
    const taken = { provider: { kind: 'none' } };
    await refused(403, () => api.call('PATCH', `/api/vms/${theirs.id}`, taken, { token: user }));
    await refused(403, () => api.call('DELETE', `/api/vms/${theirs.id}`, undefined, { token: user }));
    const judged = api.judgedSockets.length;
    const mine = await registered(api, { provider });
    expect(api.judgedSockets.slice(judged)).toEqual([provider.qmpSocket]);
    expect(mine.provider).toEqual(provider);
    const seen = await api.call('GET', `/api/vms/${mine.id}`, undefined, { token: user });
    expect(seen.body.provider).toEqual({ kind: 'qemu' });
    await refused(409, () => api.call('POST', '/api/vms', aVm({ provider })));
    await refused(409, () => api.call('PATCH', '/api/vms/good', { provider }));
  });

  it('refuses what is no JSON, no UTF-8, no object, too large, or not there', async () => {
    const post = (raw: string, headers = {}) => api.call('POST', '/api/vms', undefined, { raw, headers });
    const malformed = await refused(400, () => post('{"token":"s3cret-in-body", oops'));
    expect(malformed.body.error).toBe('The body is not valid JSON.');
    expect(api.logged()).not.toContain('s3cret-in-body');
    await refused(400, () => post('[]'));
    await refused(400, () => post('null'));
    await refused(400, () => post('"text"'));
    await refused(400, () => api.call('POST', '/api/vms'));
    await refused(400, () => post('{}', { 'content-type': 'text/plain' }));
    await refused(415, () => post('{}', { 'content-type': 'application/json; charset=koi8-r' }));
    const large = await refused(413, () => post(JSON.stringify({ name: 'x'.repeat(2_000_000) })));
    expect(large.body.error).toContain('1 MB');
  });

  it('survives odd paths and queries', async () => {
    expect((await api.call('GET', '/api/vms/%E0%A4%A')).status).toBe(400);
    expect((await api.call('GET', '/api/vms/a%00b')).status).toBe(404);
    expect((await api.call('GET', '/api/vms/a%00b/incidents')).status).toBe(404);
    expect((await api.call('GET', `/api/vms/${'x'.repeat(5_000)}`)).status).toBe(404);
    expect((await api.call('GET', '/nowhere')).body).toMatchObject({ status: 404 });
    const query = await refused(400, () => api.call('GET', '/api/vms?limit=0&stauts=DOWN&status=ILL&cursor=zz'));
    expect(paths(query)).toEqual(['limit', 'status', 'stauts']);
    await refused(400, () => api.call('GET', '/api/vms?cursor=bm9wZQ'));
    await refused(400, () => api.call('GET', '/api/vms?q=%00'));
    await refused(400, () => api.call('GET', '/api/vms/good/health/history?hours=-1&checkType=x'));
    await refused(400, () => api.call('GET', '/api/vms/good/metrics?from=yesterday'));
    await refused(400, () =>
      api.call('GET', '/api/vms/good/metrics?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'),
    );
    await refused(400, () => api.call('DELETE', '/api/vms/good/health/config/x'));
    await refused(404, () => api.call('DELETE', '/api/vms/good/health/config/tcp'));
  });

  it('refuses policies that could not work, every problem at once', async () => {
    const post = (body: unknown, status = 400) =>
      refused(status, () => api.call('POST', '/api/vms/auto-heal/policies', body));
    const reply = await post({
      action: 'explode',
      maxAttempts: 0,
      verifySeconds: 30,
      vmId: 'nobody',
      tag: 'x',
      foo: 1,
    });
    expect(paths(reply)).toEqual(['action', 'foo', 'maxAttempts', 'name', 'tag', 'vmId']);
    const short = await post({ name: 'short', vmId: 'good', verifySeconds: 69 });
    expect(short.body.errors).toMatchObject([
      { path: 'verifySeconds', message: expect.stringContaining('at least 70') },
    ]);
    await post({ id: '11111111-1111-4111-8111-111111111111', name: 'no such policy' }, 404);
  });

  it('refuses reports with impossible numbers or a clock far in the future', async () => {
    const report = (body: unknown) =>
      refused(400, () => api.call('POST', '/api/health/report', body, { token: vm.agentToken }));
    const future = await report({ cpu: 1, timestamp: new Date(api.nowMs + 301_000).toISOString() });
    expect(future.body.error).toContain('clock far in the future');
    const past = await report({ cpu: 1, reports: [{ timestamp: api.nowMs + 3_600_000, cpu: 1 }, { cpu: 1 }] });
    expect(paths(past)).toEqual(['reports.0.timestamp', 'reports.1.timestamp']);
    const numbers = await report({ cpu: 101, ram: -1, disk: 'half', uptime: -5, timestamp: 'soon' });
    expect(paths(numbers)).toEqual(['cpu', 'disk', 'ram', 'timestamp', 'uptime']);
    await report({ cpu: 'NaN' });
    await report({ reports: Array.from({ length: 1_001 }, () => ({ timestamp: api.nowMs })) });
  });

  it('refuses a report from the wrong VM', async () => {
    const other = await registered(api, { externalId: 'other' });
    await refused(403, () => api.call('POST', '/api/health/report', { vmId: other.id }, { token: vm.agentToken }));
    await refused(403, () => api.call('POST', '/api/health/report', { vmId: 'other' }, { token: vm.agentToken }));
  });
});
