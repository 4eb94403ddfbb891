import { afterAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { registered, startApiUnderTest } from './api-under-test.ts';

const api = await startApiUnderTest();
afterAll(() => api.close());

describeNeeding(['temporal'], 'Reports of agents', () => {
  const report = (token: string, body: unknown) => api.call('POST', '/api/health/report', body, { token });
  const rowsOf = async (vmId: string) =>
    (
      await api.database.pool.query(
        'SELECT at, backfilled, cpu_percent AS cpu FROM vm_metrics WHERE vm_id = $1 ORDER BY at',
        [vmId],
      )
    ).rows;

  it('makes the agent check with the first report, and leaves a disabled one alone', async () => {
    const vm = await registered(api, { externalId: '104', checks: [] });
    const first = await report(vm.agentToken, {
      vmId: 104,
      cpu: 12.5,
      ram: 40,
      disk: 70,
      uptime: 1_000,
      agentVersion: '1.2',
    });
    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({ received: true, vmId: vm.id, live: true, reportIntervalSeconds: 60 });
    const read = (await api.call('GET', '/api/vms/104')).body;
    expect(read.checks).toMatchObject([
      { checkType: 'agent', intervalSeconds: 60, staleAfterSeconds: 300, enabled: true },
    ]);
    expect(read.agent).toEqual({
      lastReportAt: new Date(api.nowMs).toISOString(),
      agentVersion: '1.2',
      cpu: 12.5,
      ram: 40,
      disk: 70,
      uptime: 1_000,
    });
    expect(read.announced).toBe(true);
    await api.call('DELETE', '/api/vms/104/health/config/agent');
    api.nowMs += 1_000;
    await report(vm.agentToken, { cpu: 1 });
    expect((await api.call('GET', '/api/vms/104')).body.checks).toMatchObject([{ checkType: 'agent', enabled: false }]);
    const { rows } = await api.database.pool.query('SELECT settings_version FROM vms WHERE id = $1', [vm.id]);
    expect(rows).toEqual([{ settings_version: 3 }]);
  });

  it('makes one check from many first reports at once', async () => {
    const vm = await registered(api, { checks: [] });
    const replies = await Promise.all(Array.from({ length: 8 }, () => report(vm.agentToken, { cpu: 1 })));
    expect(replies.map((reply) => reply.status)).toEqual(Array(8).fill(200));
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.checks).toHaveLength(1);
  });

  it('takes what older agents send: text for numbers, memory for ram, fields it does not know', async () => {
    const vm = await registered(api);
    const sent = {
      cpu: '12,5',
      memory: '40.25 %',
      disk: null,
      uptime: '99',
      hostname: 'x',
      timestamp: String(api.nowMs),
    };
    expect((await report(vm.agentToken, sent)).status).toBe(200);
    const { agent } = (await api.call('GET', `/api/vms/${vm.id}`)).body;
    expect(agent).toMatchObject({ cpu: 12.5, ram: 40.25, disk: null, uptime: 99 });
    expect((await report(vm.agentToken, { timestamp: Math.floor(api.nowMs / 1000) })).status).toBe(200);
    expect((await report(vm.agentToken, {})).status).toBe(200);
  });

  it('goes by its own clock, whatever the agent says the time is', async () => {
    const vm = await registered(api);
    await report(vm.agentToken, { cpu: 1, timestamp: '2001-01-01T00:00:00Z' });
    const { agent } = (await api.call('GET', `/api/vms/${vm.id}`)).body;
    expect(agent.lastReportAt).toBe(new Date(api.nowMs).toISOString());
    expect(await rowsOf(vm.id)).toMatchObject([{ at: new Date(api.nowMs), backfilled: false }]);
  });

  it('fills in the past without taking it for a heartbeat, once however often it is sent', async () => {
    const vm = await registered(api);
    const ago = (minutes: number) => api.nowMs - minutes * 60_000;
    const past = [5, 4 * 24 * 60].map((minutes) => ({ timestamp: ago(minutes), cpu: minutes % 100 }));
    const tooOld = { timestamp: ago(31 * 24 * 60), cpu: 3 };
    const only = { backfilled: true, timestamp: new Date(ago(7)).toISOString(), cpu: 7, reports: [...past, tooOld] };
    const reply = await report(vm.agentToken, only);
    expect(reply.body).toMatchObject({ live: false, backfilled: 3, ignored: 1 });
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body).toMatchObject({
      agent: null,
      checks: [{ checkType: 'ping' }],
    });
    await report(vm.agentToken, only);
    await report(vm.agentToken, { cpu: 50, reports: past });
    expect((await rowsOf(vm.id)).map((row) => [row.at.getTime(), row.backfilled])).toEqual([
      [ago(4 * 24 * 60), true],
      [ago(7), true],
      [ago(5), true],
      [api.nowMs, false],
    ]);
  });

  it('answers metrics in steps, and in pages', async () => {
    const vm = await registered(api, { externalId: 'm-1' });
    const start = api.nowMs;
    const past = [10, 20, 70, 190].map((seconds) => ({
      timestamp: start - 600_000 + seconds * 1000,
      cpu: seconds / 2,
      uptime: seconds,
    }));
    await report(vm.agentToken, { backfilled: true, timestamp: start - 599_999, cpu: 0, reports: past });
    const range = `from=${start - 600_000}&to=${new Date(start).toISOString()}&step=60`;
    const { body } = await api.call('GET', `/api/vms/m-1/metrics?${range}`);
    const at = (seconds: number) => new Date(start - 600_000 + seconds * 1000).toISOString();
    expect(body).toMatchObject({ vmId: vm.id, stepSeconds: 60, nextCursor: null });
    expect(body.points).toEqual([
      { at: at(0), cpu: 5, ram: null, disk: null, uptime: 20, samples: 3 },
      { at: at(60), cpu: 35, ram: null, disk: null, uptime: 70, samples: 1 },
      { at: at(180), cpu: 95, ram: null, disk: null, uptime: 190, samples: 1 },
    ]);
    const first = (await api.call('GET', `/api/vms/m-1/metrics?${range}&limit=2`)).body;
    const rest = (await api.call('GET', `/api/vms/m-1/metrics?${range}&limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.points, ...rest.points]).toEqual(body.points);
    expect((await api.call('GET', '/api/vms/m-1/metrics')).body.points).toHaveLength(4);
  });

  it('lets administrators report for a VM they name', async () => {
    await registered(api, { externalId: 'by-admin' });
    const reply = await api.call('POST', '/api/health/report', { vmId: 'by-admin', cpu: 1 });
    expect(reply.body).toMatchObject({ received: true, live: true });
    expect((await api.call('POST', '/api/health/report', { cpu: 1 })).body.errors).toMatchObject([{ path: 'vmId' }]);
    expect((await api.call('POST', '/api/health/report', { vmId: 'nobody' })).status).toBe(404);
  });
});
