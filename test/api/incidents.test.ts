import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordHealStep } from '../../db/heals/heal-steps.ts';
import { recordIncident, recordIncidentClosed } from '../../db/heals/incidents.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { ill } from '../domain/examples.ts';
import { type ApiUnderTest, registered, startApiUnderTest } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

const MINUTE = 60_000;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
});
afterAll(() => api.close());

const iso = (ms: number) => new Date(ms).toISOString();

async function opened(vmId: string, agoMs: number): Promise<number> {
  return (await recordIncident(api.database, vmId, api.nowMs - agoMs)) ?? 0;
}

async function held(vmId: string, incident: number, untilMs: number, reason = 'cooldown'): Promise<void> {
  const hold = {
    kind: 'hold',
    reason,
    sentence: 'it cools down',
    wouldChange: `time: the next attempt may be made at ${iso(untilMs)}`,
    lookAgainInMs: 30_000,
  } as const;
  const guards = [{ guard: 'cooldown', objection: 'it cools down' }];
  const facts = ill({
    vmId,
    incident,
    lastLookAtMs: api.nowMs - 5_000,
    attempts: [{ atMs: 1_700_000_000_000, escalation: false }],
  });
  await api.database.orm.transaction((tx) => recordHealStep(tx, facts, { decision: hold, guards }, api.nowMs));
}

it('says first, of a VM and across VMs, what is done, which guard decided and what would change it; times are ISO 8601', async () => {
  const { id } = await registered(api, { name: 'db-1' });
  const incident = await opened(id, MINUTE);
  await held(id, incident, api.nowMs + MINUTE);
  const told = {
    sentence: expect.stringMatching(/^Incident 1 holds \(cooldown\): it cools down\. Would change it: time/),
    state: 'holding',
    decidingGuard: 'cooldown',
    wouldChange: `time: the next attempt may be made at ${iso(api.nowMs + MINUTE)}`,
    nextAt: iso(api.nowMs + 30_000),
    incident: 1,
    vmId: id,
    vmName: 'db-1',
    vmDeletedAt: null,
    openedAt: iso(api.nowMs - MINUTE),
    closedAt: null,
    outcome: null,
  };
  expect((await api.call('GET', '/api/incidents?open=true')).body.incidents).toEqual([told]);
  const { incidents } = (await api.call('GET', `/api/vms/${id}/incidents`)).body;
  expect(incidents).toMatchObject([
    {
      ...told,
      steps: [
        {
          reason: 'cooldown',
          facts: {
            lastLookAt: iso(api.nowMs - 5_000),
            attempts: [{ at: iso(1_700_000_000_000) }],
            bootGraceMs: expect.any(Number),
          },
          decision: { lookAgainInMs: 30_000 },
        },
      ],
    },
  ]);
  expect(Object.keys(incidents[0]).slice(0, 4)).toEqual(Object.keys(told).slice(0, 4));
  expect(incidents[0].steps[0].decision).not.toHaveProperty('wouldChange');

  api.nowMs += 2 * MINUTE;
  expect((await api.call('GET', '/api/incidents')).body.incidents).toMatchObject([{ wouldChange: null }]);
  await recordIncidentClosed(api.database.orm, id, incident, 'recovered', api.nowMs);
  expect((await api.call('GET', '/api/incidents?open=true')).body.incidents).toEqual([]);
  expect((await api.call('GET', '/api/incidents?open=false')).body.incidents).toMatchObject([
    { state: 'closed', decidingGuard: null, wouldChange: null, nextAt: null, outcome: 'recovered' },
  ]);
  await api.call('DELETE', `/api/vms/${id}`);
});

it('tells decisions and attempts oldest first, and goes by the last of them, as it was seen last', async () => {
  const { id } = await registered(api, { name: 'long-story' });
  const incident = await opened(id, MINUTE);
  for (const reason of ['boot-grace', 'cooldown', 'cooldown']) {
    api.nowMs += MINUTE;
    await held(id, incident, api.nowMs + MINUTE, reason);
  }
  const told = async () => (await api.call('GET', `/api/vms/${id}/incidents`)).body.incidents[0];
  expect(await told()).toMatchObject({
    decidingGuard: 'cooldown',
    nextAt: iso(api.nowMs + 30_000),
    steps: [
      { reason: 'boot-grace', count: 1 },
      { reason: 'cooldown', count: 2, decidedAt: iso(api.nowMs - MINUTE), lastSeenAt: iso(api.nowMs) },
    ],
  });
  for (const attempt of [1, 2]) {
    api.nowMs += MINUTE;
    await intendedReset(api.database, id, { attempt }, api.nowMs);
  }
  expect(await told()).toMatchObject({
    sentence: 'Incident 1: restart (attempt 2) is being carried out.',
    operations: [{ attempt: 1 }, { attempt: 2 }],
  });
  const { situation } = (await api.call('GET', `/api/vms/${id}`)).body;
  expect(situation.incident).toMatchObject({ lastAction: { attempt: 2, at: iso(api.nowMs) } });
  await api.call('DELETE', `/api/vms/${id}`);
});

it('finds incidents by VM and time, newest first, in pages, of its own tenant only', async () => {
  const a = await registered(api, { name: 'find-a', externalId: 'fa-1' });
  const b = await registered(api, { name: 'find_b' });
  for (const [vm, ago] of [
    [a, 50],
    [b, 40],
    [a, 30],
    [b, 30],
  ] as const) {
    const incident = await opened(vm.id, ago * MINUTE);
    await recordIncidentClosed(api.database.orm, vm.id, incident, 'recovered', api.nowMs);
  }
  const found = async (query: string) => {
    const { incidents, nextCursor } = (await api.call('GET', `/api/incidents?${query}`)).body;
    return {
      found: incidents.map(({ vmName, incident }: { vmName: string; incident: number }) => `${vmName}/${incident}`),
      nextCursor,
    };
  };
  // of one time, the later VM comes first
  expect((await found('q=find')).found).toEqual(['find_b/2', 'find-a/2', 'find_b/1', 'find-a/1']);
  expect((await found('q=FA-')).found).toEqual(['find-a/2', 'find-a/1']);
  expect((await found('q=d_b')).found).toEqual(['find_b/2', 'find_b/1']);
  expect((await found(`q=find&since=${iso(api.nowMs - 40 * MINUTE)}`)).found).toEqual([
    'find_b/2',
    'find-a/2',
    'find_b/1',
  ]);
  const first = await found('q=find&limit=1');
  expect(first.found).toEqual(['find_b/2']);
  expect((await found(`q=find&limit=3&cursor=${first.nextCursor}`)).found).toEqual([
    'find-a/2',
    'find_b/1',
    'find-a/1',
  ]);

  await api.call('POST', '/api/tenants', { id: 'elsewhere', name: 'Elsewhere' });
  const { token } = (await api.call('POST', '/api/tokens', { name: 'theirs', role: 'ADMIN', tenantId: 'elsewhere' }))
    .body;
  for (const path of ['/api/incidents', '/api/audit']) {
    const [list] = Object.values((await api.call('GET', path, undefined, { token })).body);
    expect(JSON.stringify(list), path).not.toContain(a.id);
  }
  for (const [query, path] of [
    ['open=maybe', 'open'],
    ['since=yesterday', 'since'],
    ['cursor=x', 'cursor'],
  ]) {
    const refused = await api.call('GET', `/api/incidents?${query}`);
    expect(refused, query).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  }
});

it("keeps a deleted VM's incidents, heals, results and audit readable, by id and by its last externalId", async () => {
  const old = await registered(api, { name: 'gone', externalId: 'g-1' });
  await opened(old.id, MINUTE);
  await api.call('DELETE', '/api/vms/g-1');
  for (const reference of [old.id, 'g-1']) {
    const { body } = await api.call('GET', `/api/vms/${reference}/incidents`);
    expect(body.incidents).toMatchObject([{ vmId: old.id, vmName: 'gone', vmDeletedAt: iso(api.nowMs) }]);
    expect((await api.call('GET', `/api/vms/${reference}/auto-heal/history`)).body).toEqual([]);
    expect((await api.call('GET', `/api/cloud-pods/${reference}/health/history`)).body).toMatchObject({
      podId: old.id,
    });
    expect((await api.call('GET', `/api/vms/${reference}`)).status).toBe(404);
    expect((await api.call('GET', `/api/audit?vm=${reference}`)).body.entries).toMatchObject([
      { action: 'vm_deleted', vmId: old.id, at: iso(api.nowMs), actor: expect.stringContaining('administrator') },
      { action: 'token_created' },
      { action: 'vm_created', details: { name: 'gone' } },
    ]);
  }
  expect((await api.call('GET', '/api/incidents?q=gone')).body.incidents).toMatchObject([{ vmId: old.id }]);
  // one that took its externalId comes first
  const next = await registered(api, { externalId: 'g-1' });
  expect((await api.call('GET', '/api/vms/g-1/health/history')).body).toMatchObject({ podId: next.id });
  expect((await api.call('GET', `/api/vms/${old.id}/health/history`)).body).toMatchObject({ podId: old.id });
  // and of those that are gone the one that had it last
  api.nowMs += MINUTE;
  await api.call('DELETE', `/api/vms/${next.id}`);
  expect((await api.call('GET', '/api/vms/g-1/health/history')).body).toMatchObject({ podId: next.id });
  expect((await api.call('GET', '/api/vms/never-was/incidents')).status).toBe(404);
  // also one that has its id as externalId, as when a machine is registered again under its old number
  const again = await registered(api, { externalId: old.id });
  expect((await api.call('GET', `/api/vms/${old.id}`)).body).toMatchObject({ id: again.id });
  expect((await api.call('GET', `/api/vms/${old.id}/health/history`)).body).toMatchObject({ podId: again.id });
});

it('tells an ADMIN who changed what, by VM, actor, action and time, in pages; a USER is refused', async () => {
  const vm = await registered(api, { name: 'audited' });
  const since = iso(api.nowMs);
  await api.call('POST', `/api/vms/${vm.id}/pause`, { reason: 'rack move' });
  await api.call('POST', `/api/vms/${vm.id}/resume`);
  const actionsOf = async (query: string, token?: string) =>
    (await api.call('GET', `/api/audit?${query}`, undefined, token === undefined ? {} : { token })).body.entries.map(
      ({ action }: { action: string }) => action,
    );
  expect(await actionsOf(`vm=${vm.id}&since=${since}`)).toEqual([
    'vm_resumed',
    'vm_paused',
    'token_created',
    'vm_created',
  ]);
  expect(await actionsOf(`vm=${vm.id}&action=vm_paused`)).toEqual(['vm_paused']);
  expect(await actionsOf(`vm=${vm.id}&actor=nobody`)).toEqual([]);
  expect(await actionsOf(`vm=${vm.id}&since=${iso(api.nowMs + 1)}`)).toEqual([]);
  const first = (await api.call('GET', `/api/audit?vm=${vm.id}&limit=2`)).body;
  expect(await actionsOf(`vm=${vm.id}&limit=2&cursor=${first.nextCursor}`)).toEqual(['token_created', 'vm_created']);

  await api.call('POST', '/api/tenants', { id: 'audited', name: 'Audited' });
  const tokenOf = async (role: string) => (await api.call('POST', '/api/tokens', { name: role, role })).body.token;
  expect(await actionsOf('limit=1000')).toContain('tenant_created');
  expect(await actionsOf('limit=1000', await tokenOf('ADMIN'))).not.toContain('tenant_created');
  expect((await api.call('GET', '/api/audit', undefined, { token: await tokenOf('USER') })).status).toBe(403);
  expect((await api.call('GET', '/api/audit?vm=never-was')).status).toBe(404);
  expect((await api.call('GET', '/api/audit?action=burned')).body.errors).toMatchObject([{ path: 'action' }]);
});
