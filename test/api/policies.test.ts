import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

const api = await startApiUnderTest();
const { sql } = api;
afterAll(() => api.close());

describeNeeding(['temporal'], 'Policies over the API', () => {
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
});
