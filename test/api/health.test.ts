import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

describeNeeding(['temporal'], 'Health over the API', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest();
  });
  afterAll(() => api.close());

  const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

  /** Results as looks store them: the newest at the clock's now, the others a minute apart before it. */
  async function results(vm: { id: string; checks: { id: string }[] }, statuses: string[]): Promise<void> {
    for (const [index, status] of statuses.entries()) {
      const at = new Date(api.nowMs - (statuses.length - 1 - index) * 60_000);
      await sql(
        `INSERT INTO check_results (vm_id, check_id, due_at, checked_at, check_type, status, reason, latency_ms,
           error_message, raw_response) VALUES ($1, $2, $3, $3, 'ping', $4, 'ok', $5, $6, $7)`,
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

  it('answers history with uptime of what could tell, in pages', async () => {
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
    const history = await api.client.workflow.getHandle(`vm/${vm.id}`).fetchHistory();
    const signals = (history.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal ? [JSON.parse(Buffer.from(signal.input!.payloads![0]!.data!).toString())] : [],
    );
    expect(signals.map(({ version, lookSooner }) => [version, lookSooner])).toEqual([
      [1, true],
      [2, true],
      [3, false],
      [4, true],
      [5, true],
      [6, false],
      [7, false],
    ]);
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
    expect(body.summary).toEqual({ total: 2, healthy: 1, unhealthy: 0, degraded: 0, unknown: 1 });
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
  });

  it('counts heal attempts in the window since the reset, and resets them', async () => {
    const vm = await registered(api, { externalId: 'h-4' });
    await sql(`UPDATE vm_status SET status = 'unhealthy', consecutive_failures = 4, look_seq = 9 WHERE vm_id = $1`, [
      vm.id,
    ]);
    await sql(
      `INSERT INTO check_state (check_id, vm_id, status, consecutive_failures, consecutive_successes, reason, seq)
       VALUES ($1, $2, 'unhealthy', 4, 0, 'timeout', 9)`,
      [vm.checks[0].id, vm.id],
    );
    await heal(vm.id, 'reset', 'done', 60_000);
    await heal(vm.id, 'reset', 'abandoned', 50_000);
    await heal(vm.id, 'reset', 'done', 25 * 3_600_000);
    const health = async () => (await api.call('GET', '/api/vms/h-4/health')).body;
    expect(await health()).toMatchObject({
      autoHealAttempts: 1,
      consecutiveFailures: 4,
      lastAutoHealAt: new Date(api.nowMs - 50_000).toISOString(),
    });
    expect((await api.call('GET', '/api/status')).body.resets).toBe(2);

    const events = (await api.call('GET', '/api/cloud-pods/h-4/auto-heal/history')).body;
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({
      action: 'restart',
      reason: '3 consecutive failures',
      result: 'success',
      errorMessage: null,
      previousStatus: 'unhealthy',
      newStatus: 'restarting',
      policyId: null,
    });
    expect((await api.call('GET', '/api/vms/h-4/auto-heal/history?limit=1')).body).toEqual([events[0]]);

    const reset = await api.call('POST', '/api/cloud-pods/h-4/auto-heal/reset');
    expect(reset).toMatchObject({ status: 200, body: { reset: true } });
    expect(await health()).toMatchObject({ autoHealAttempts: 0, consecutiveFailures: 0, status: 'unhealthy' });
    const { rows } = await sql(
      `SELECT s.look_seq, c.seq, c.consecutive_failures FROM vm_status s JOIN check_state c USING (vm_id) WHERE vm_id = $1`,
      [vm.id],
    );
    expect(rows).toEqual([{ look_seq: '10', seq: '10', consecutive_failures: 0 }]);
  });

  it('tells why and why not: incidents with their decisions', async () => {
    const vm = await registered(api, { externalId: 'h-5' });
    for (const incident of [1, 2]) {
      await sql(`INSERT INTO incidents (vm_id, incident, tenant_id, opened_at) VALUES ($1, $2, 'default', now())`, [
        vm.id,
        incident,
      ]);
      await sql('UPDATE incidents SET closed_at = now(), outcome = $2 WHERE vm_id = $1', [vm.id, 'recovered']);
    }
    await sql(
      `INSERT INTO heal_steps (vm_id, incident, step, kind, reason, decision, guards, facts, decided_at, last_seen_at, count)
       VALUES ($1, 2, 1, 'hold', 'cooldown', $2, $3, $4, now(), now(), 3)`,
      [
        vm.id,
        { kind: 'hold', reason: 'cooldown', wouldChange: 'time' },
        JSON.stringify([{ guard: 'cooldown', objection: 'still cooling down' }]),
        { vmId: vm.id },
      ],
    );
    const { body } = await api.call('GET', '/api/vms/h-5/incidents?limit=1');
    expect(body.incidents).toMatchObject([
      {
        incident: 2,
        outcome: 'recovered',
        steps: [{ step: 1, kind: 'hold', reason: 'cooldown', count: 3, facts: { vmId: vm.id } }],
        operations: [],
      },
    ]);
    const rest = (await api.call('GET', `/api/vms/h-5/incidents?cursor=${body.nextCursor}`)).body;
    expect(rest).toMatchObject({ incidents: [{ incident: 1, steps: [] }], nextCursor: null });
  });

  it('asks the workflow for a look, a pause and its end', async () => {
    const vm = await registered(api, { externalId: 'h-6' });
    expect(await api.call('POST', '/api/vms/h-6/check-now')).toMatchObject({ status: 202, body: { requested: true } });
    expect((await api.call('POST', '/api/vms/h-6/pause', {})).body.errors).toMatchObject([{ path: 'reason' }]);
    const paused = await api.call('POST', '/api/vms/h-6/pause', { reason: 'moving house' });
    expect(paused).toMatchObject({ status: 200, body: { paused: true, reason: 'moving house' } });
    expect(await api.call('POST', '/api/vms/h-6/resume')).toMatchObject({ status: 200, body: { paused: false } });
    const history = await api.client.workflow.getHandle(`vm/${vm.id}`).fetchHistory();
    const names = (history.events ?? []).flatMap(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    );
    expect(names).toEqual(['settingsChanged', 'lookNow', 'pause', 'resume']);
    const { rows } = await sql(`SELECT action, details FROM audit_log WHERE vm_id = $1 ORDER BY id OFFSET 2`, [vm.id]);
    expect(rows).toEqual([
      { action: 'vm_paused', details: { reason: 'moving house' } },
      { action: 'vm_resumed', details: {} },
    ]);
  });

  it('saves policies with their defaults, changes only what is said, and tells whoever listens', async () => {
    const token = await tenantToken(api, 'policies');
    const save = (body: unknown) => api.call('POST', '/api/vms/auto-heal/policies', body, { token });
    const heard: string[] = [];
    const listener = await api.database.pool.connect();
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await listener.query('LISTEN defib');
    const made = await save({
      name: 'story',
      action: 'restart',
      triggerAfterFailures: 2,
      cooldownMinutes: 1,
      maxAttempts: 5,
    });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({
      enabled: true,
      attemptWindowHours: 24,
      notifyOnTrigger: true,
      escalateAfterAttempts: null,
      escalationAction: 'notify_only',
      verifySeconds: 120,
      vmId: null,
      tag: null,
    });
    const vm = await registered(api, { externalId: 'p-vm' }, token);
    const changed = await save({ id: made.body.id, enabled: false, vmId: 'p-vm' });
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'story', maxAttempts: 5, enabled: false, vmId: vm.id },
    });
    const listed = await api.call('GET', '/api/cloud-pods/auto-heal/policies', undefined, { token });
    expect(listed.body).toEqual({ policies: [changed.body], nextCursor: null });
    await listener.query('SELECT 1');
    listener.release(true);
    expect(heard.filter((payload) => payload.includes('"kind":"policies"'))).toHaveLength(2);
    const path = `/api/vms/auto-heal/policies/${made.body.id}`;
    expect((await api.call('DELETE', path, undefined, { token })).body).toEqual({ deleted: true });
    expect((await api.call('DELETE', path, undefined, { token })).status).toBe(404);
    const { rows } = await sql(
      `SELECT action FROM audit_log WHERE tenant_id = 'policies' AND action LIKE 'policy%' ORDER BY id`,
    );
    expect(rows.map((row) => row.action)).toEqual(['policy_created', 'policy_updated', 'policy_deleted']);
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

  it('judges a verify window by the checks that the policy covers', async () => {
    const token = await tenantToken(api, 'windows');
    await registered(
      api,
      { externalId: 'quick', tags: ['quick'], checks: [{ checkType: 'ping', intervalSeconds: 5 }] },
      token,
    );
    await registered(api, { externalId: 'slow', checks: [{ checkType: 'ping', intervalSeconds: 300 }] }, token);
    const save = async (body: object) =>
      (await api.call('POST', '/api/vms/auto-heal/policies', { name: 'w', ...body }, { token })).status;
    expect(await save({ vmId: 'quick', verifySeconds: 10 })).toBe(201);
    expect(await save({ vmId: 'quick', verifySeconds: 9 })).toBe(400);
    expect(await save({ tag: 'quick', verifySeconds: 10 })).toBe(201);
    expect(await save({ verifySeconds: 309 })).toBe(400);
    expect(await save({ verifySeconds: 310 })).toBe(201);
    expect(await save({ action: 'notify_only', verifySeconds: 1 })).toBe(201);
    expect(await save({ action: 'notify_only', escalationAction: 'reset', verifySeconds: 1 })).toBe(400);
  });

  async function heal(vmId: string, power: string, state: string, agoMs: number): Promise<void> {
    const id = randomUUID();
    const at = new Date(api.nowMs - agoMs);
    await sql(
      `INSERT INTO operations (id, vm_id, incident, attempt, action, power, escalation, state, verify_ms, intended_at)
       VALUES ($1, $2, 1, 1, 'restart', $3, false, $4, 0, $5)`,
      [id, vmId, power, state, at],
    );
    await sql(
      `INSERT INTO heal_events (vm_id, tenant_id, incident, operation_id, action, reason, result, previous_status, new_status,
         triggered_at) VALUES ($1, 'default', 1, $2, 'restart', '3 consecutive failures', 'success', 'unhealthy', 'restarting', $3)`,
      [vmId, id, at],
    );
  }
});
