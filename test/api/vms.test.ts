import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, aVm, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

const api = await startApiUnderTest();
afterAll(() => api.close());

describeNeeding(['temporal'], 'VMs over the API', () => {
  it('registers the VM of the story, starts its workflow and shows its agent token once', async () => {
    const reply = await api.call('POST', '/api/vms', {
      name: 'web-1',
      address: '192.0.2.7',
      externalId: '104',
      provider: { kind: 'qemu', qmpSocket: `${api.sockets}/web-1.sock` },
      checks: [
        {
          checkType: 'http',
          target: 'http://192.0.2.7:8080/',
          intervalSeconds: 5,
          timeoutSeconds: 2,
          failureThreshold: 2,
        },
      ],
    });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.headers.get('location')).toBe(`/api/vms/${reply.body.id}`);
    expect(reply.body).toMatchObject({ status: 'UNKNOWN', health: 'unknown', announced: true, externalId: '104' });
    expect(reply.body.checks).toHaveLength(1);
    expect(reply.body.checks[0]).toMatchObject({ checkType: 'http', timeoutSeconds: 2, successThreshold: 1 });
    expect(reply.body.agentToken).toMatch(/^defib_/);
    const described = await api.client.workflow.getHandle(`vm/${reply.body.id}`).describe();
    expect(described.taskQueue).toBe('defib-core');

    const byExternalId = await api.call('GET', '/api/vms/104');
    expect(byExternalId.body.id).toBe(reply.body.id);
    expect(byExternalId.text).not.toContain('agentToken');
    expect(byExternalId.text).not.toContain(reply.body.agentToken);
  });

  it('gives a VM with an address a ping, and one without no checks', async () => {
    const pinged = await registered(api);
    expect(pinged.checks).toMatchObject([
      { checkType: 'ping', intervalSeconds: 60, timeoutSeconds: 10, enabled: true },
    ]);
    const without = await registered(api, { address: undefined });
    expect(without.checks).toEqual([]);
    expect(without.reasons).toMatchObject([{ reason: 'no-checks' }]);
  });

  it('is to be started when it is off only where that was said', async () => {
    const kept = async (id: string) => {
      const { rows } = await api.database.pool.query('SELECT keep_running FROM vms WHERE id = $1', [id]);
      return rows[0].keep_running;
    };
    const [usual, said] = [await registered(api), await registered(api, { keepRunning: true })];
    expect([usual.keepRunning, await kept(usual.id)]).toEqual([false, false]);
    expect([said.keepRunning, await kept(said.id)]).toEqual([true, true]);
    for (const keepRunning of [true, false]) {
      const reply = await api.call('PATCH', `/api/vms/${usual.id}`, { keepRunning });
      expect([reply.body.keepRunning, await kept(usual.id)]).toEqual([keepRunning, keepRunning]);
    }
    expect((await api.call('PATCH', `/api/vms/${said.id}`, { name: 'renamed' })).body.keepRunning).toBe(true);
  });

  it('changes what is said and keeps the rest', async () => {
    const vm = await registered(api, { tags: ['a', 'b', 'a'], host: 'h1' });
    expect(vm.tags).toEqual(['a', 'b']);
    const reply = await api.call('PATCH', `/api/vms/${vm.id}`, { name: 'renamed', host: null });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toMatchObject({ name: 'renamed', host: null, tags: ['a', 'b'], address: vm.address });
    const audit = await api.database.pool.query('SELECT action, details FROM audit_log WHERE vm_id = $1 ORDER BY id', [
      vm.id,
    ]);
    expect(audit.rows.map((row) => row.action)).toEqual(['vm_created', 'token_created', 'vm_updated']);
    expect(audit.rows[2].details).toEqual({ name: 'renamed', host: null });
  });

  it('deletes a VM, ends its agent and frees its names', async () => {
    const vm = await registered(api, { externalId: 'to-delete' });
    const deleted = await api.call('DELETE', '/api/vms/to-delete');
    expect(deleted).toMatchObject({ status: 200, body: { deleted: true } });
    expect((await api.call('GET', `/api/vms/${vm.id}`)).status).toBe(404);
    const report = await api.call('POST', '/api/health/report', {}, { token: vm.agentToken });
    expect(report.status).toBe(401);
    expect(report.body.error).toContain('revoked');
    await registered(api, { externalId: 'to-delete' });
  });

  it('pages through a list without missing or repeating a VM', async () => {
    const token = await tenantToken(api, 'pages');
    for (let i = 0; i < 7; i++) {
      api.nowMs += 1;
      await registered(api, { name: `p${i}` }, token);
    }
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await api.call('GET', `/api/vms?limit=3${query}`, undefined, { token });
      expect(body.vms.length).toBeLessThanOrEqual(3);
      names.push(...body.vms.map((vm: { name: string }) => vm.name));
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(names).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6']);
  });

  it('filters by status, part of a name, tag and provider', async () => {
    const token = await tenantToken(api, 'filters');
    const well = await registered(api, { name: 'a_b%c', tags: ['prod'] }, token);
    const ill = await registered(api, { name: 'axbyc', externalId: 'ext-9' }, token);
    await setStatus(api, well.id, 'healthy');
    await setStatus(api, ill.id, 'unhealthy');
    const ids = async (query: string) => {
      const { body, text } = await api.call('GET', `/api/vms?${query}`, undefined, { token });
      expect(body.vms, text).toBeDefined();
      return body.vms.map((vm: { id: string }) => vm.id);
    };
    expect(await ids('status=HEALTHY')).toEqual([well.id]);
    expect(await ids('status=down')).toEqual([ill.id]);
    expect(await ids('q=_B%25')).toEqual([well.id]);
    expect(await ids('q=EXT-')).toEqual([ill.id]);
    expect(await ids('tag=prod')).toEqual([well.id]);
    expect(await ids('provider=qemu')).toEqual([]);
    expect(await ids('provider=none')).toEqual([well.id, ill.id]);
    // what is listed as something reads so, and is listed once
    const off = await registered(api, {}, token);
    const unseen = await registered(api, {}, token);
    for (const { id } of [ill, off]) await api.call('POST', `/api/vms/${id}/pause`, { reason: 'rack move' }, { token });
    await api.call('PATCH', `/api/vms/${off.id}`, { stoppedOnPurpose: true }, { token });
    expect(await ids('status=PAUSED')).toEqual([ill.id]);
    expect(await ids('status=UNKNOWN')).toEqual([off.id, unseen.id]);
    expect(await ids('status=DOWN')).toEqual([]);
  });

  it('answers unknown when nobody looks any more, but not before a first look is due', async () => {
    const token = await tenantToken(api, 'watched');
    const vm = await registered(
      api,
      { checks: [{ checkType: 'ping', intervalSeconds: 20, timeoutSeconds: 5 }] },
      token,
    );
    const read = async () => (await api.call('GET', `/api/vms/${vm.id}`, undefined, { token })).body;
    const start = api.nowMs;
    try {
      api.nowMs = start + 65_000;
      expect((await read()).reasons).toEqual([]);
      api.nowMs = start + 65_001;
      expect((await read()).reasons).toMatchObject([{ reason: 'not-watched' }]);
      await setStatus(api, vm.id, 'healthy');
      expect(await read()).toMatchObject({ status: 'HEALTHY', reasons: [] });
      api.nowMs += 65_001;
      expect(await read()).toMatchObject({
        status: 'UNKNOWN',
        health: 'unknown',
        reasons: [{ reason: 'not-watched' }],
      });
      const totals = (await api.call('GET', '/api/status', undefined, { token })).body;
      expect(totals).toEqual({ total: 1, healthy: 0, warning: 0, down: 0, unknown: 1, paused: 0, resets: 0 });
      const metrics = await api.call('GET', '/metrics');
      expect(metrics.text).toMatch(/^defib_vms_unwatched [1-9]/m);
    } finally {
      api.nowMs = start;
    }
  });

  it('reads unknown once its checks have not been conclusive for three intervals and a timeout', async () => {
    const token = await tenantToken(api, 'telling');
    const checks = [
      { checkType: 'ping', intervalSeconds: 20, timeoutSeconds: 5 },
      { checkType: 'tcp', target: 22, intervalSeconds: 60, timeoutSeconds: 5 },
    ];
    const vm = await registered(api, { checks }, token);
    const read = async () => (await api.call('GET', `/api/vms/${vm.id}`, undefined, { token })).body;
    const listed = async (status: string) =>
      (await api.call('GET', `/api/vms?status=${status}`, undefined, { token })).body.vms.length;
    const start = api.nowMs;
    try {
      await setStatus(api, vm.id, 'healthy');
      api.nowMs = start + 100_000;
      await cannotTell(api, vm.id, new Date(api.nowMs));
      expect(await read()).toMatchObject({ status: 'HEALTHY', reasons: [{ reason: 'fping-missing' }] });
      await cannotTell(api, vm.id, new Date(api.nowMs - 1));
      expect(await read()).toMatchObject({
        status: 'UNKNOWN',
        health: 'unknown',
        reasons: [
          {
            reason: 'cannot-tell',
            message: 'None of its checks has been conclusive for 100 s (fping-missing); their reasons follow.',
          },
          { reason: 'fping-missing', checkType: 'ping', about: 'alive' },
        ],
      });
      expect([await listed('HEALTHY'), await listed('UNKNOWN')]).toEqual([0, 1]);
      expect((await api.call('GET', '/api/status', undefined, { token })).body).toMatchObject({
        healthy: 0,
        unknown: 1,
      });
      expect((await api.call('GET', '/metrics')).text).toMatch(/^defib_vms_cannot_tell [1-9]/m);

      // a VM that is new or was changed gets three intervals and a timeout of its slowest check
      await cannotTell(api, vm.id, null);
      api.nowMs = start + 185_000;
      await setLooked(api, vm.id);
      expect((await read()).reasons).toMatchObject([{ reason: 'fping-missing' }]);
      api.nowMs = start + 185_001;
      expect((await read()).reasons).toMatchObject([{ reason: 'cannot-tell' }, { reason: 'fping-missing' }]);
      await api.database.pool.query('UPDATE vms SET stopped_on_purpose_at = now() WHERE id = $1', [vm.id]);
      expect((await read()).reasons).toMatchObject([{ reason: 'stopped-on-purpose' }]);
    } finally {
      api.nowMs = start;
    }
  });

  it('tells everything that is taken, and nothing of other tenants', async () => {
    const other = await tenantToken(api, 'other-names');
    const socket = `${api.sockets}/taken.sock`;
    const theirs = await registered(api, { provider: { kind: 'qemu', qmpSocket: socket }, externalId: 'mine' }, other);
    const ours = await registered(api, { externalId: 'mine' });
    const before = await api.counts();
    const reply = await api.call(
      'POST',
      '/api/vms',
      aVm({ externalId: 'mine', provider: { kind: 'qemu', qmpSocket: `${api.sockets}/./taken.sock` } }),
    );
    expect(reply.status).toBe(409);
    expect(reply.body.errors).toEqual([
      { path: 'externalId', message: `is registered already, as VM ${ours.id}` },
      { path: 'provider.qmpSocket', message: 'is registered already' },
    ]);
    expect(reply.text).not.toContain(theirs.id);
    expect(await api.counts()).toEqual(before);
    const moved = await api.call('PATCH', `/api/vms/${theirs.id}`, { externalId: 'mine' }, { token: other });
    expect(moved.status).toBe(200);
  });

  it('registers one of many VMs that ask for the same name at once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => api.call('POST', '/api/vms', aVm({ externalId: 'race' }))),
    );
    expect(replies.map((reply) => reply.status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('lets changes that meet each other all count', async () => {
    const vm = await registered(api);
    const replies = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => api.call('PATCH', `/api/vms/${vm.id}`, { tags: [name] })),
    );
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200, 200]);
    const { rows } = await api.database.pool.query(
      'SELECT settings_version, announced_version FROM vms WHERE id = $1',
      [vm.id],
    );
    expect(rows[0]).toEqual({ settings_version: 5, announced_version: 5 });
  });
});

async function setStatus(api: ApiUnderTest, vmId: string, status: string): Promise<void> {
  await api.database.pool.query(
    `UPDATE vm_status SET status = $2, last_look_at = $3, last_check_at = $3, conclusive_until = $3::timestamptz + interval '1 hour'
     WHERE vm_id = $1`,
    [vmId, status, new Date(api.nowMs)],
  );
}

/** Stores what a look does whose checks can't tell. */
async function cannotTell(api: ApiUnderTest, vmId: string, conclusiveUntil: Date | null): Promise<void> {
  const reasons = [
    {
      checkId: vmId,
      checkType: 'ping',
      about: 'alive',
      status: 'healthy',
      reason: 'fping-missing',
      message: 'install it',
    },
  ];
  await api.database.pool.query(
    'UPDATE vm_status SET last_look_at = $2, conclusive_until = $3, reasons = $4 WHERE vm_id = $1',
    [vmId, new Date(api.nowMs), conclusiveUntil, JSON.stringify(reasons)],
  );
}

async function setLooked(api: ApiUnderTest, vmId: string): Promise<void> {
  await api.database.pool.query('UPDATE vm_status SET last_look_at = $2 WHERE vm_id = $1', [vmId, new Date(api.nowMs)]);
}
