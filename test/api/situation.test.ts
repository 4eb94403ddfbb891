import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordHealStep } from '../../db/heals/heal-steps.ts';
import { recordIncident, recordIncidentClosed } from '../../db/heals/incidents.ts';
import { recordOperationEvent } from '../../db/heals/operations.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { ill } from '../domain/examples.ts';
import { type ApiUnderTest, registered, startApiUnderTest } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
});
afterAll(() => api.close());

const situationOf = async (id: string) => {
  const { situation } = (await api.call('GET', `/api/vms/${id}`)).body;
  const { vms } = (await api.call('GET', '/api/vms')).body;
  // the list tells the same
  expect(vms.find((vm: { id: string }) => vm.id === id).situation).toEqual(situation);
  return situation;
};

/** As a look that found it unhealthy for the third time leaves it. */
async function fallIll(id: string): Promise<void> {
  const reasons = JSON.stringify([{ checkType: 'ping', status: 'unhealthy', reason: 'timeout', message: 'no answer' }]);
  await api.sql(
    `UPDATE vm_status SET status = 'unhealthy', reasons = $2, consecutive_failures = 3, last_look_at = $3::timestamptz,
       conclusive_until = $3::timestamptz + interval '1 hour' WHERE vm_id = $1`,
    [id, reasons, new Date(api.nowMs)],
  );
}

it('of an ill VM says whether a policy covers it, what its heal decided, does and waits for, and that it is paused', async () => {
  const { id } = await registered(api);
  expect((await situationOf(id)).sentence).toBe('Not looked at yet.');
  await fallIll(id);
  const told = 'Unhealthy (ping: no answer); never seen healthy, 3 failed in a row.';
  expect((await situationOf(id)).sentence).toBe(`${told} No policy covers it, so people have to see to it.`);

  await api.sql(`UPDATE vm_status SET status = 'degraded' WHERE vm_id = $1`, [id]);
  expect((await situationOf(id)).sentence).toMatch(/^Degraded .* No policy covers it, so people have to see to it\.$/);
  await fallIll(id);

  await api.call('POST', '/api/vms/auto-heal/policies', { name: 'all', action: 'restart', triggerAfterFailures: 4 });
  expect((await situationOf(id)).sentence).toContain(
    'Policy "all" (restart) acts when a check about being alive has failed 4 times in a row',
  );

  const incident = (await recordIncident(api.database, id, api.nowMs)) ?? 0;
  expect((await situationOf(id)).incident).toMatchObject({ number: 1, state: 'deciding', reason: null, nextAt: null });
  const hold = {
    kind: 'hold',
    reason: 'boot-grace',
    sentence: 'it was just started',
    wouldChange: 'time',
    lookAgainInMs: 30_000,
  } as const;
  const facts = ill({ vmId: id, incident });
  await api.database.orm.transaction((tx) => recordHealStep(tx, facts, { decision: hold, guards: [] }, api.nowMs));
  expect(await situationOf(id)).toMatchObject({
    sentence: `${told} Incident 1 holds (boot-grace): it was just started. Would change it: time. Decided again by ${new Date(api.nowMs + 30_000).toISOString()}.`,
    incident: { state: 'holding', reason: 'boot-grace', nextAt: new Date(api.nowMs + 30_000).toISOString() },
  });

  const operation = await intendedReset(api.database, id, {}, api.nowMs + 1_000);
  expect((await situationOf(id)).incident).toMatchObject({
    state: 'acting',
    nextAt: null,
    lastAction: { action: 'restart', attempt: 1, result: 'pending', at: new Date(api.nowMs + 1_000).toISOString() },
  });
  const done = { kind: 'done', detail: 'confirmed', conclusive: false, presumed: false } as const;
  await api.database.orm.transaction((tx) => recordOperationEvent(tx, operation.id, done, api.nowMs + 2_000));
  expect((await situationOf(id)).incident).toMatchObject({
    state: 'verifying',
    nextAt: new Date(api.nowMs + 62_000).toISOString(),
  });

  await api.call('POST', `/api/vms/${id}/pause`, { reason: 'rack move' });
  expect(await situationOf(id)).toMatchObject({
    sentence: expect.stringMatching(
      /^Paused by administrator \(token .*\) since .*Z: rack move\. It is neither looked at/,
    ),
    paused: { reason: 'rack move' },
    incident: { number: 1, state: 'verifying' },
  });
  const refused = await api.call('POST', `/api/vms/${id}/look-now`);
  expect(refused).toMatchObject({ status: 409, body: { error: expect.stringContaining('paused it: rack move') } });
  await recordIncidentClosed(api.database.orm, id, incident, 'recovered', api.nowMs);
  expect((await situationOf(id)).incident).toBeNull();
});

it('says that it is stopped on purpose, has no checks, or is not watched and why', async () => {
  const [stopped, without, lost] = [
    await registered(api),
    await registered(api, { address: undefined }),
    await registered(api),
  ];
  await api.call('PATCH', `/api/vms/${stopped.id}`, { stoppedOnPurpose: true });
  expect(await situationOf(stopped.id)).toMatchObject({ stoppedOnPurpose: true, notWatched: null });
  expect((await api.call('POST', `/api/vms/${stopped.id}/look-now`)).body.error).toContain('It is stopped on purpose');
  expect((await api.call('POST', `/api/vms/${without.id}/look-now`)).body.error).toBe('It has no enabled checks.');
  expect((await api.call('POST', `/api/vms/${lost.id}/look-now`)).status).toBe(202);
  expect(await situationOf(without.id)).toMatchObject({
    sentence: expect.stringContaining('no enabled checks'),
    notWatched: 'It has no enabled checks.',
  });
  api.nowMs += 3_600_000;
  // a look would end that
  expect((await api.call('POST', `/api/vms/${lost.id}/look-now`)).status).toBe(202);
  expect(await situationOf(lost.id)).toMatchObject({
    sentence: expect.stringMatching(/^Nobody has looked at it yet: .*\. Nothing is done meanwhile\.$/),
    notWatched: expect.stringContaining('site "main"'),
    cannotTell: null,
  });
});
