import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

const api = await startApiUnderTest();
const { sql } = api;
afterAll(() => api.close());

describeNeeding(['temporal'], 'Checks over the API', () => {
  it('upserts checks by type, keeps absent fields, and tells the workflow when to look sooner', async () => {
    const vm = await registered(api, { externalId: 'h-3' });
    const put = (body: unknown) => api.call('PUT', '/api/cloud-pods/h-3/health/config', body);
    const made = await put({
      checkType: 'http',
      target: '/up',
      intervalSeconds: 30,
      options: { followRedirects: true },
    });
    expect(made.status, made.text).toBe(200);
    expect(made.body).toMatchObject({
      name: '',
      target: '/up',
      intervalSeconds: 30,
      timeoutSeconds: 10,
      enabled: true,
    });
    const kept = await put({ checkType: 'http', failureThreshold: 5 });
    expect(kept.body).toMatchObject({
      id: made.body.id,
      target: '/up',
      failureThreshold: 5,
      options: { followRedirects: true },
    });
    const named = await put({ checkType: 'http', name: 'admin', target: '/admin' });
    expect(named.body.id).not.toBe(made.body.id);
    expect((await put({ checkType: 'http', intervalSeconds: 2, timeoutSeconds: 2 })).body.timeoutSeconds).toBe(2);
    expect((await put({ checkType: 'http', timeoutSeconds: null })).body.timeoutSeconds).toBe(2);

    const disabled = await api.call('DELETE', '/api/cloud-pods/h-3/health/config/http?name=admin');
    expect(disabled).toMatchObject({ status: 200, body: { disabled: true } });
    const { checks } = (await api.call('GET', '/api/vms/h-3')).body;
    expect(checks.map((check: { name: string; enabled: boolean }) => [check.name, check.enabled])).toEqual([
      ['', true],
      ['admin', false],
      ['', true],
    ]);
    const { rows } = await sql(
      `SELECT action, actor FROM audit_log WHERE vm_id = $1 AND action LIKE 'health_check%' ORDER BY id`,
      [vm.id],
    );
    expect(rows.map((row) => row.action)).toEqual([
      ...Array(5).fill('health_check_configured'),
      'health_check_disabled',
    ]);
    expect(rows[0].actor).toContain('administrator');
    expect(await announced(vm.id)).toEqual([
      [1, true],
      [2, true],
      [3, false],
      [4, true],
      [5, true],
      [6, false],
      [7, false],
    ]);
  });

  /** What its workflow heard: each version of the settings, and whether to look sooner. */
  async function announced(vmId: string): Promise<[number, boolean][]> {
    const history = await api.client.workflow.getHandle(`vm/${vmId}`).fetchHistory();
    const signals = (history.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal ? [JSON.parse(Buffer.from(signal.input!.payloads![0]!.data!).toString())] : [],
    );
    return signals.map(({ version, lookSooner }) => [version, lookSooner]);
  }

  it('judges a change again that another one overtakes', async () => {
    const checks = Array.from({ length: 49 }, (_, index) => ({ checkType: 'ping', name: `n${index}` }));
    const vm = await registered(api, { checks });
    const replies = await Promise.all(
      ['a', 'b', 'c'].map((name) => api.call('PUT', `/api/vms/${vm.id}/health/config`, { checkType: 'ping', name })),
    );
    expect(replies.map((reply) => reply.status).toSorted()).toEqual([200, 400, 400]);
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.checks).toHaveLength(50);
  });

  /** Stores this status as a look would, at the clock's now. */
  const seen = (vmId: string, status: string) =>
    sql(
      `INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, reason, seq, proven_at)
       SELECT id, vm_id, $2, CASE $2 WHEN 'healthy' THEN 0 ELSE 9 END, 1, 'ok', 1, $3 FROM check_configs WHERE vm_id = $1
       ON CONFLICT (check_id) DO UPDATE SET status = excluded.status, consecutive_failures = excluded.consecutive_failures,
         proven_at = excluded.proven_at`,
      [vmId, status, status === 'healthy' ? new Date(api.nowMs) : null],
    );
  const shown = async (vmId: string) =>
    (await api.call('GET', `/api/vms/${vmId}`)).body.checks.map((check: Record<string, unknown>) => [
      check['checkType'],
      check['proven'],
      check['trusted'],
      check['consecutiveFailures'],
    ]);

  it('says of each check whether it is proven for its aim: an edit undone is proven again', async () => {
    const vm = await registered(api, { checks: [{ checkType: 'tcp', target: 22 }] });
    expect(await shown(vm.id)).toEqual([['tcp', false, false, 0]]);
    await seen(vm.id, 'healthy');
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.checks).toMatchObject([
      { proven: true, provenAt: new Date(api.nowMs).toISOString() },
    ]);
    const put = async (body: object) =>
      (await api.call('PUT', `/api/vms/${vm.id}/health/config`, { checkType: 'tcp', ...body })).body;
    expect(await put({ intervalSeconds: 30, failureThreshold: 5 })).toMatchObject({ proven: true });
    expect(await put({ target: 2222 })).toMatchObject({ proven: false, provenAt: null, status: 'unknown' });
    expect(await put({ target: 22 })).toMatchObject({ proven: true, status: 'unknown' });
    expect(await put({ timeoutSeconds: 3 })).toMatchObject({ proven: false });
  });

  it("begins anew with the checks that use the VM's address when that changes", async () => {
    const checks = [{ checkType: 'agent' }, { checkType: 'ping' }, { checkType: 'tcp', target: 22, trusted: true }];
    const vm = await registered(api, { checks });
    await seen(vm.id, 'healthy');
    const patch = (body: object) => api.call('PATCH', `/api/vms/${vm.id}`, body);
    await patch({ address: '192.0.2.10', name: 'same address' });
    expect(await shown(vm.id)).toEqual([
      ['agent', true, false, 0],
      ['ping', true, false, 0],
      ['tcp', true, true, 0],
    ]);
    await patch({ address: '192.0.2.11' });
    expect(await shown(vm.id)).toEqual([
      ['agent', true, false, 0],
      ['ping', false, false, 0],
      ['tcp', false, false, 0],
    ]);
    await patch({ address: '192.0.2.10' });
    expect((await shown(vm.id)).map(([type, proven]: unknown[]) => [type, proven])).toEqual([
      ['agent', true],
      ['ping', true],
      ['tcp', true],
    ]);
  });

  it('lets administrators trust a check until it is aimed elsewhere, and notes that', async () => {
    const vm = await registered(api, { checks: [{ checkType: 'tcp', target: 22 }] });
    const put = async (body: object) =>
      (await api.call('PUT', `/api/vms/${vm.id}/health/config`, { checkType: 'tcp', ...body })).body;
    expect(await put({ trusted: true })).toMatchObject({ trusted: true, proven: false });
    expect(await put({ intervalSeconds: 30 })).toMatchObject({ trusted: true });
    expect(await put({ target: 2222 })).toMatchObject({ trusted: false });
    expect(await put({ target: 22 })).toMatchObject({ trusted: false });
    expect(await put({ target: 2222, trusted: true })).toMatchObject({ trusted: true });
    expect(await put({ trusted: false })).toMatchObject({ trusted: false });
    const { rows } = await sql(
      `SELECT details->>'trusted' AS trusted FROM audit_log WHERE vm_id = $1 AND action = 'health_check_configured' ORDER BY id`,
      [vm.id],
    );
    expect(rows.map((row) => row.trusted)).toEqual(['true', 'true', 'false', 'false', 'true', 'false']);
  });

  it('lets users change a check that is trusted, but not say of one that it is', async () => {
    await tenantToken(api, 'default');
    const user = { token: await tenantToken(api, 'default', 'USER') };
    const vm = await registered(api, { checks: [{ checkType: 'tcp', target: 22, trusted: true }] });
    const put = (body: object) =>
      api.call('PUT', `/api/vms/${vm.id}/health/config`, { checkType: 'tcp', ...body }, user);
    for (const trusted of [true, false]) {
      const refused = await put({ trusted });
      expect(refused.status).toBe(403);
      expect(refused.body.error).toContain('ADMIN or OPERATOR');
    }
    expect((await put({ intervalSeconds: 30 })).body).toMatchObject({ trusted: true });
    expect((await put({ target: 2222 })).body).toMatchObject({ trusted: false });
    const before = await api.counts();
    const checks = [{ checkType: 'ping' }, { checkType: 'tcp', target: 22, trusted: true }];
    const registration = { name: 'mine', address: '192.0.2.10', provider: { kind: 'none' }, checks };
    expect((await api.call('POST', '/api/vms', registration, user)).status).toBe(403);
    expect(await api.counts()).toEqual(before);
  });

  it('begins anew with a check that is enabled again', async () => {
    const vm = await registered(api, {
      externalId: 'h-again',
      checks: [{ checkType: 'ping' }, { checkType: 'tcp', target: 22 }],
    });
    const ill = `INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, reason, seq)
      SELECT id, vm_id, 'unhealthy', 9, 0, 'timeout', 1 FROM check_configs WHERE vm_id = $1`;
    await sql(ill, [vm.id]);
    const put = (body: object) =>
      api.call('PUT', '/api/cloud-pods/h-again/health/config', { checkType: 'ping', ...body });
    const failures = async () =>
      (await api.call('GET', '/api/vms/h-again')).body.checks.map(
        (check: { consecutiveFailures: number }) => check.consecutiveFailures,
      );
    const lookSeq = async () =>
      Number((await sql('SELECT look_seq FROM vm_status WHERE vm_id = $1', [vm.id])).rows[0].look_seq);
    expect((await put({ failureThreshold: 5 })).status).toBe(200);
    expect(await failures()).toEqual([9, 9]);
    const before = await lookSeq();
    expect((await api.call('DELETE', '/api/cloud-pods/h-again/health/config/ping')).status).toBe(200);
    expect((await put({ enabled: true })).body).toMatchObject({
      enabled: true,
      status: 'unknown',
      consecutiveFailures: 0,
    });
    expect(await failures()).toEqual([0, 9]);
    expect(await lookSeq()).toBe(before + 1);
  });

  it('looks at a check that is not healthy at a pace of its own, which is never longer than its interval', async () => {
    const vm = await registered(api, { externalId: 'h-retry', checks: [{ checkType: 'ping' }] });
    const put = (body: object) => api.call('PUT', '/api/vms/h-retry/health/config', { checkType: 'ping', ...body });
    expect((await put({})).body).toMatchObject({ intervalSeconds: 60, retryIntervalSeconds: 60 });
    expect((await put({ retryIntervalSeconds: 60 })).body).toMatchObject({ retryIntervalSeconds: 60 });
    expect((await put({ retryIntervalSeconds: 10 })).body).toMatchObject({ retryIntervalSeconds: 10 });
    // it may be failing now
    expect((await announced(vm.id)).slice(1)).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect((await put({ intervalSeconds: 30 })).body).toMatchObject({ intervalSeconds: 30, retryIntervalSeconds: 10 });
    expect((await put({ retryIntervalSeconds: 31 })).body.errors).toEqual([
      { path: 'retryIntervalSeconds', message: 'must not be longer than the interval (30 s)' },
    ]);
    expect((await put({ intervalSeconds: 5 })).body.errors).toMatchObject([{ path: 'retryIntervalSeconds' }]);
    expect((await put({ intervalSeconds: 5, retryIntervalSeconds: null })).body).toMatchObject({
      retryIntervalSeconds: 5,
    });
    const checks = [{ checkType: 'ping', retryIntervalSeconds: 61 }];
    const refused = await api.call('POST', '/api/vms', {
      name: 'r',
      address: '192.0.2.10',
      provider: { kind: 'none' },
      checks,
    });
    expect(refused.body.errors).toMatchObject([{ path: 'checks.0.retryIntervalSeconds' }]);
  });
});
