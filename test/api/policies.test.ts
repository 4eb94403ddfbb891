import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { findApplicablePolicies, findPoliciesOf } from '../../db/policies/find-policies.ts';
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
    const { covers: _, countsFor: __, inWords: ___, ...policy } = changed.body;
    expect(listed.body).toEqual({ policies: [policy], nextCursor: null });
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
      (await api.call('POST', '/api/vms/auto-heal/policies', { name: randomUUID(), ...body }, { token })).status;
    const patient = [{ checkType: 'ping', intervalSeconds: 60, timeoutSeconds: 60 }];
    await registered(api, { externalId: 'patient', checks: patient }, token);
    expect(await save({ vmId: 'patient', verifySeconds: 119 })).toBe(400);
    expect(await save({ vmId: 'patient', verifySeconds: 120 })).toBe(201);
    expect(await save({ vmId: 'quick', verifySeconds: 10 })).toBe(201);
    expect(await save({ vmId: 'quick', verifySeconds: 9 })).toBe(400);
    expect(await save({ tag: 'quick', verifySeconds: 10 })).toBe(201);
    expect(await save({ verifySeconds: 309 })).toBe(400);
    expect(await save({ verifySeconds: 310 })).toBe(201);
    expect(await save({ action: 'notify_only', verifySeconds: 1 })).toBe(201);
    expect(await save({ action: 'notify_only', escalationAction: 'reset', verifySeconds: 1 })).toBe(400);
  });

  it('has one policy of a name in each scope: a second is refused, and names the first', async () => {
    const token = await tenantToken(api, 'names');
    const save = (body: object) => api.call('POST', '/api/vms/auto-heal/policies', body, { token });
    await registered(api, { externalId: 'n-1' }, token);
    const first = (await save({ name: 'restart' })).body;
    const scoped = [await save({ name: 'restart', tag: 'db' }), await save({ name: 'restart', vmId: 'n-1' })];
    expect(scoped.map(({ status }) => status)).toEqual([201, 201]);
    const other = (await save({ name: 'other' })).body;
    const before = await api.counts();
    for (const body of [
      { name: 'restart' },
      { id: other.id, name: 'restart' },
      { id: scoped[0]!.body.id, tag: null },
    ]) {
      expect(await save(body), JSON.stringify(body)).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining(`is taken by policy ${first.id}`), errors: [{ path: 'name' }] },
      });
    }
    expect(await api.counts()).toEqual(before);
    expect((await save({ id: first.id, name: 'restart', maxAttempts: 9 })).status).toBe(200);
    // of two at once, one is made
    const both = await Promise.all([save({ name: 'twin' }), save({ name: 'twin' })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const theirs = await tenantToken(api, 'names-too');
    const elsewhere = await api.call('POST', '/api/vms/auto-heal/policies', { name: 'restart' }, { token: theirs });
    expect(elsewhere.status).toBe(201);
    const again = await api.call('POST', '/api/vms/auto-heal/policies', { name: 'restart' }, { token: theirs });
    expect(again.body.error).toContain(`is taken by policy ${elsewhere.body.id}`);
  });

  it('says how many VMs it covers, for how many it counts, and in words what it will do', async () => {
    const token = await tenantToken(api, 'covers');
    const save = async (body: object) => (await api.call('POST', '/api/vms/auto-heal/policies', body, { token })).body;
    for (const tags of [['db'], ['db', 'old'], []]) await registered(api, { tags }, token);
    const gone = await registered(api, { externalId: 'c-gone' }, token);
    await api.call('DELETE', `/api/vms/${gone.id}`, undefined, { token });
    const all = await save({ name: 'all', action: 'reset' });
    expect(all).toMatchObject({ covers: 3, countsFor: 3, inWords: expect.stringContaining('it resets the VM.') });
    expect(await save({ name: 'dbs', tag: 'db' })).toMatchObject({ covers: 2, countsFor: 2 });
    expect(await save({ id: all.id, cooldownMinutes: 5 })).toMatchObject({ covers: 3, countsFor: 1 });
    expect(await save({ name: 'later', tag: 'db' })).toMatchObject({ covers: 2, countsFor: 0 });
    expect(await save({ id: all.id, enabled: false })).toMatchObject({
      covers: 3,
      countsFor: 0,
      inWords: 'It is disabled, and does nothing.',
    });
  });

  it('reads for each VM no more policies than can count, however many its tenant has', async () => {
    const token = await tenantToken(api, 'many-policies');
    const { id } = await registered(api, { tags: ['db', 'web'] }, token);
    const save = (body: object) => api.call('POST', '/api/vms/auto-heal/policies', body, { token });
    for (const scope of [{ vmId: id }, { tag: 'db' }, { tag: 'web' }, { tag: 'other' }, {}]) {
      await save({ name: 'disabled', enabled: false, ...scope });
      await save({ name: 'oldest', ...scope });
      api.nowMs += 1;
      await save({ name: 'later', ...scope });
    }
    const found = (await findApplicablePolicies(api.database.pool, [id])).get(id) ?? [];
    expect(found.map(({ name, vmId, tag }) => `${name} ${tag ?? vmId}`).toSorted()).toEqual(
      [`oldest ${id}`, 'oldest db', 'oldest null', 'oldest web'].toSorted(),
    );
    expect(await findPoliciesOf(api.database.pool, id)).toHaveLength(8);
  });

  it('refuses a check that is too slow for the policies of its VM, as it refuses a policy too quick for its checks', async () => {
    const token = await tenantToken(api, 'slow-checks');
    const save = async (body: object) => (await api.call('POST', '/api/vms/auto-heal/policies', body, { token })).body;
    await registered(api, { externalId: 's-1', tags: ['web'] }, token);
    const put = (body: object) =>
      api.call('PUT', '/api/vms/s-1/health/config', { checkType: 'ping', ...body }, { token });
    expect((await put({ intervalSeconds: 600, enabled: false })).status).toBe(200);
    const strict = await save({ name: 'strict', tag: 'web', verifySeconds: 120 });
    await save({ name: 'tells', action: 'notify_only', verifySeconds: 1 });
    await save({ name: 'of others', tag: 'db', verifySeconds: 1 });
    for (const body of [{ enabled: true }, { enabled: true, intervalSeconds: 111 }]) {
      expect((await put(body)).body).toMatchObject({
        errors: [{ path: 'intervalSeconds', message: expect.stringContaining(`policy "strict" (${strict.id})`) }],
      });
    }
    expect((await put({ enabled: true, intervalSeconds: 110 })).status).toBe(200);
    expect((await put({ intervalSeconds: 111 })).status).toBe(400);
    expect((await put({ intervalSeconds: 60, timeoutSeconds: 60 })).status).toBe(200);
    expect((await put({ timeoutSeconds: 61, intervalSeconds: 61 })).body.error).toContain('takes 122 s');
    // it is no slower than it was
    await sql(`UPDATE policies SET verify_seconds = 30 WHERE id = $1`, [strict.id]);
    expect((await put({ failureThreshold: 5 })).status).toBe(200);
  });
});
