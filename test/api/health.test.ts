import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

const api = await startApiUnderTest();
const { sql } = api;
afterAll(() => api.close());

describeNeeding(['temporal'], 'Health over the API', () => {
  /** Results as looks store them: the newest at the clock's now, the others a minute apart before it. */
  async function results(vm: { id: string; checks: { id: string }[] }, statuses: string[]): Promise<void> {
    for (const [index, status] of statuses.entries()) {
      const at = new Date(api.nowMs - (statuses.length - 1 - index) * 60_000);
      await sql(
        `INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, latency_ms,
           message, raw_response) VALUES ($1, $2, $3, $3, 'ping', $4, 'ok', $5, $6, $7)`,
        [vm.id, vm.checks[0]!.id, at, status, status === 'healthy' ? 10 + index : null, null, { output: 'x' }],
      );
    }
  }

  it('answers the status row, the pod and the ten newest results, under both prefixes', async () => {
    const vm = await registered(api, { externalId: 'h-1' });
    await results(vm, [...Array.from({ length: 11 }, () => 'healthy'), 'unhealthy']);
    await sql(
      `UPDATE vm_status SET status = 'degraded', consecutive_failures = 1, last_look_at = $2 WHERE vm_id = $1`,
      [vm.id, new Date(api.nowMs)],
    );
    const { body } = await api.call('GET', '/api/cloud-pods/h-1/health');
    expect(body).toMatchObject({
      status: 'degraded',
      consecutiveFailures: 1,
      consecutiveSuccesses: 0,
      lastCheckAt: null,
      lastHealthyAt: null,
      lastUnhealthyAt: null,
      autoHealAttempts: 0,
      lastAutoHealAt: null,
      pod: { name: vm.name, ipAddress: '192.0.2.10', status: 'degraded' },
    });
    expect(body.recentResults).toHaveLength(10);
    expect(body.recentResults[0]).toMatchObject({
      checkType: 'ping',
      status: 'unhealthy',
      latencyMs: null,
      rawResponse: { output: 'x' },
      checkedAt: new Date(api.nowMs).toISOString(),
    });
    expect((await api.call('GET', '/api/vms/h-1/health')).body).toEqual(body);
  });

  it('answers history with an uptime that excludes unknown results, in pages', async () => {
    const vm = await registered(api, { externalId: 'h-2' });
    const empty = (await api.call('GET', '/api/vms/h-2/health/history')).body;
    expect(empty).toMatchObject({
      podId: vm.id,
      period: '24h',
      uptimePercentage: null,
      avgLatencyMs: null,
      results: [],
    });
    await results(vm, ['unhealthy', 'healthy', 'unknown', 'healthy']);
    const { body } = await api.call('GET', '/api/cloud-pods/h-2/health/history?hours=1&checkType=ping');
    expect(body).toMatchObject({
      period: '1h',
      uptimePercentage: '66.67',
      avgLatencyMs: '12',
      totalChecks: 4,
      healthyChecks: 2,
      unhealthyChecks: 1,
      unknownChecks: 1,
      nextCursor: null,
    });
    const all = body.results.map((result: { checkedAt: string }) => result.checkedAt);
    expect(all).toEqual(all.toSorted().toReversed());
    const first = (await api.call('GET', '/api/vms/h-2/health/history?limit=3')).body;
    expect(first).toMatchObject({ totalChecks: 4 });
    const rest = (await api.call('GET', `/api/vms/h-2/health/history?limit=3&cursor=${first.nextCursor}`)).body;
    expect([...first.results, ...rest.results]).toEqual(body.results);
    expect(rest.nextCursor).toBeNull();
    const none = (await api.call('GET', '/api/vms/h-2/health/history?checkType=http')).body;
    expect(none).toMatchObject({ totalChecks: 0, uptimePercentage: null });
  });

  it('answers an overview of the tenant', async () => {
    const token = await tenantToken(api, 'overview');
    const well = await registered(api, { name: 'well' }, token);
    await registered(api, { name: 'new' }, token);
    await sql(`UPDATE vm_status SET status = 'healthy', last_look_at = $2 WHERE vm_id = $1`, [
      well.id,
      new Date(api.nowMs),
    ]);
    const { body } = await api.call('GET', '/api/cloud-pods/health/overview', undefined, { token });
    expect(body.summary).toEqual({ total: 2, healthy: 1, unhealthy: 0, degraded: 0, unknown: 1, paused: 0 });
    expect(body.pods).toMatchObject([
      {
        podId: well.id,
        name: 'well',
        status: 'healthy',
        consecutiveFailures: 0,
        lastCheckAt: null,
        lastHealthyAt: null,
      },
      { name: 'new', status: 'unknown' },
    ]);
    await api.call('POST', `/api/vms/${well.id}/pause`, { reason: 'rack move' }, { token });
    const counts = { healthy: 0, unknown: 1, paused: 1 };
    const after = (await api.call('GET', '/api/cloud-pods/health/overview', undefined, { token })).body;
    expect(after.summary).toEqual({ ...counts, total: 2, unhealthy: 0, degraded: 0 });
    const status = (await api.call('GET', '/api/status', undefined, { token })).body;
    expect(status).toEqual({ ...counts, total: 2, warning: 0, down: 0, resets: 0 });
  });

  it('asks the workflow for a look, a pause and its end', async () => {
    const vm = await registered(api, { externalId: 'h-6' });
    for (const path of ['/api/vms/h-6/look-now', '/api/cloud-pods/h-6/check-now']) {
      expect(await api.call('POST', path), path).toMatchObject({ status: 202, body: { requested: true } });
    }
    expect((await api.call('POST', '/api/vms/h-6/pause', {})).body.errors).toMatchObject([{ path: 'reason' }]);
    const paused = await api.call('POST', '/api/vms/h-6/pause', { reason: 'moving house' });
    expect(paused).toMatchObject({ status: 200, body: { paused: true, reason: 'moving house', sentBefore: [] } });
    expect((await api.call('GET', '/api/vms/h-6')).body).toMatchObject({
      health: 'paused',
      paused: { reason: 'moving house', by: expect.stringMatching(/\w/), since: expect.stringMatching(/^20/) },
      reasons: [{ reason: 'paused', message: expect.stringContaining('moving house') }],
    });
    expect(await api.call('POST', '/api/vms/h-6/resume')).toMatchObject({ status: 200, body: { paused: false } });
    const history = await api.client.workflow.getHandle(`vm/${vm.id}`).fetchHistory();
    const names = (history.events ?? []).flatMap(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    );
    expect(names).toEqual(['settingsChanged', 'lookNow', 'lookNow', 'settingsChanged', 'settingsChanged']);
    expect((await api.call('GET', '/api/vms/h-6')).body.paused).toBeNull();
    const { rows } = await sql(`SELECT action, details FROM audit_log WHERE vm_id = $1 ORDER BY id OFFSET 2`, [vm.id]);
    expect(rows).toEqual([
      { action: 'vm_paused', details: { reason: 'moving house' } },
      { action: 'vm_resumed', details: {} },
    ]);
  });
});
