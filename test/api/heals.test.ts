import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { registered, startApiUnderTest } from './api-under-test.ts';

const api = await startApiUnderTest();
const { sql } = api;
afterAll(() => api.close());

describeNeeding(['temporal'], 'Heals over the API', () => {
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
    await heal(vm.id, 'resume', 'done', 70_000, { cause: 'storage-failed' });
    const health = async () => (await api.call('GET', '/api/vms/h-4/health')).body;
    expect(await health()).toMatchObject({
      autoHealAttempts: 1,
      consecutiveFailures: 4,
      lastAutoHealAt: new Date(api.nowMs - 60_000).toISOString(),
    });
    expect((await api.call('GET', '/api/status')).body.resets).toBe(2);

    const events = (await api.call('GET', '/api/cloud-pods/h-4/auto-heal/history')).body;
    expect(events).toHaveLength(4);
    expect(events[0]).toMatchObject({
      action: 'restart',
      reason: '3 consecutive failures',
      result: 'success',
      errorMessage: null,
      previousStatus: 'unhealthy',
      newStatus: 'healthy',
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

  it('gives as the last heal the last attempt: no escalation, nothing that was not sent, no resume for its storage', async () => {
    const vm = await registered(api, { externalId: 'h-6' });
    const last = async () => {
      const { autoHealAttempts, lastAutoHealAt } = (await api.call('GET', '/api/vms/h-6/health')).body;
      return [autoHealAttempts, lastAutoHealAt];
    };
    await heal(vm.id, 'reset', 'abandoned', 50_000);
    await heal(vm.id, 'stop', 'done', 40_000, { escalation: true });
    await heal(vm.id, 'resume', 'done', 30_000, { cause: 'storage-failed' });
    expect(await last()).toEqual([0, null]);
    await heal(vm.id, 'reset', 'done', 60_000);
    expect(await last()).toEqual([1, new Date(api.nowMs - 60_000).toISOString()]);
  });

  it.each([
    ['reset', 'pending', 'restarting'],
    ['resume', 'pending', null],
    ['reset', 'success', 'healthy'],
    ['resume', 'success', 'healthy'],
    ['stop', 'pending', 'stopped'],
    ['stop', 'success', 'stopped'],
    ['reset', 'failed', 'unhealthy'],
    ['stop', 'failed', 'unhealthy'],
    ['reset', 'skipped', null],
  ] as const)('says where a VM is with a %s that is %s: %s', async (power, result, newStatus) => {
    const { id } = await registered(api);
    await heal(id, power, 'done', 60_000);
    await sql('UPDATE operations SET result = $2 WHERE vm_id = $1', [id, result]);
    expect((await api.call('GET', `/api/vms/${id}/auto-heal/history`)).body).toMatchObject([{ newStatus }]);
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

  async function heal(
    vmId: string,
    power: string,
    state: string,
    agoMs: number,
    { escalation = false, cause = 'unresponsive' } = {},
  ): Promise<void> {
    const id = randomUUID();
    const at = new Date(api.nowMs - agoMs);
    await sql(
      `INSERT INTO operations (id, vm_id, tenant_id, incident, attempt, action, power, escalation, state, cause, verify_ms,
         reason, result, previous_status, intended_at)
       VALUES ($1, $2, 'default', 1, 1, 'restart', $3, $4, $5, $6, 0, '3 consecutive failures', 'success', 'unhealthy', $7)`,
      [id, vmId, power, escalation, state, cause, at],
    );
  }
});
