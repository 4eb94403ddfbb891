import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { noticeFleet } from '../../activities/fleet-notices.ts';
import { recordHealStep } from '../../db/heals/heal-steps.ts';
import { recordIncident, recordIncidentClosed, recordPowerReading } from '../../db/heals/incidents.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordNoticesClosedExcept } from '../../db/notices/notices.ts';
import type { Objection } from '../../domain/guards/guard.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import type { Decision } from '../../domain/remedy.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { ill, probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';

const MINUTE = 60_000;

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

const writer = createLookWriter(database.pool);
let nowMs = NOON;
let logged: { notice: string; subject: string; level: number; msg: string }[] = [];
const deps = {
  database,
  log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  now: () => nowMs,
};

beforeEach(async () => {
  for (const table of ['notices', 'heal_steps', 'incidents', 'check_state', 'check_configs', 'vm_status', 'vms']) {
    await database.pool.query(`DELETE FROM ${table}`);
  }
  logged = [];
  nowMs = NOON;
});

/** The VM after a look at each minute, the last one now, in which all its checks had this result. */
async function looked(vm: WatchedVm, ...found: ProbeResult[]): Promise<WatchedVm> {
  let now = vm;
  for (const one of found) {
    nowMs += MINUTE;
    expect(await writer.write(lookOf(now, resultsOf(now, nowMs, one), nowMs))).toBe('stored');
    now = await readVm(database.pool, vm.vmId);
  }
  return now;
}

async function open(kind: string): Promise<{ subject: string; tenant_id: string; message: string; count: number }[]> {
  const sql = 'SELECT * FROM notices WHERE kind = $1 AND closed_at IS NULL ORDER BY subject';
  return (await database.pool.query(sql, [kind])).rows;
}

const FAILED = probeResult('unhealthy');
const subjectOf = (vm: WatchedVm): string => `check/${vm.checks[0]!.checkId}`;

describe('the notice of a check that has never succeeded is open', () => {
  const notices = async () => {
    await noticeFleet(deps);
    return (await open('unproven-check')).map((notice) => notice.subject);
  };

  it('after its threshold, once, and in whose tenant', async () => {
    const vm = await looked(await registerVm(database, { name: 'web', tenantId: 'acme' }), FAILED, FAILED);
    expect(await notices()).toEqual([]);
    await looked(vm, FAILED);
    expect(await notices()).toEqual([subjectOf(vm)]);
    expect(await notices()).toEqual([subjectOf(vm)]);
    expect(await open('unproven-check')).toMatchObject([
      {
        tenant_id: 'acme',
        vm_id: vm.vmId,
        count: 2,
        message:
          'The http check of VM "web" has never succeeded: is its target right? Until it has, its failures are no reason for a power action. It says: HTTP timeout (10s)',
      },
    ]);
    expect(logged.map(({ notice, subject, level }) => [notice, subject, level])).toEqual([
      ['unproven-check', subjectOf(vm), 50],
    ]);
  });

  it('until it succeeds', async () => {
    const vm = await looked(await registerVm(database), FAILED, FAILED, FAILED);
    await notices();
    await looked(vm, probeResult('healthy'));
    expect(await notices()).toEqual([]);
    expect(logged.at(-1)).toMatchObject({ notice: 'unproven-check', subject: subjectOf(vm), msg: 'is over' });
  });

  it.each([
    ['is disabled', 'UPDATE check_configs SET enabled = false'],
    ['is trusted', 'UPDATE check_configs SET trusted = true'],
    ['goes with its VM', 'UPDATE vms SET deleted_at = now()'],
    ['is begun anew', 'UPDATE check_state SET consecutive_failures = 0'],
  ])('until it %s', async (_title, sql) => {
    await looked(await registerVm(database), FAILED, FAILED, FAILED);
    expect(await notices()).toHaveLength(1);
    await database.pool.query(sql);
    expect(await notices()).toEqual([]);
  });

  it('and not of one that once did', async () => {
    await looked(await registerVm(database), probeResult('healthy'), FAILED, FAILED, FAILED, FAILED);
    expect(await notices()).toEqual([]);
  });
});

describe('the notice of VMs whose checks cannot tell is open', () => {
  const notices = async () => {
    await noticeFleet(deps);
    return (await open('cannot-tell')).map(({ subject, message }) => [subject, message]);
  };
  const CANNOT = (reason: string) => probeResult('unknown', { reason, message: `${reason}: do something` });

  it('once for each site and reason, however many they are, until they can', async () => {
    const well = probeResult('healthy');
    const everyMinute = (reason: string): ProbeResult[] => [well, ...Array.from({ length: 4 }, () => CANNOT(reason))];
    const vms: WatchedVm[] = [];
    for (const [site, reason] of [
      ['a', 'fping-missing'],
      ['a', 'fping-missing'],
      ['a', 'no-route'],
      ['b', 'no-route'],
    ] as const) {
      nowMs = NOON;
      vms.push(await looked(await registerVm(database, { site }), ...everyMinute(reason)));
    }
    nowMs = NOON;
    await looked(await registerVm(database, { site: 'a' }), well, ...[1, 2, 3].map(() => CANNOT('no-route')), well);
    const say = (count: number, site: string, reason: string) => [
      `site/${site}/${reason}`,
      `No check of ${count} VMs of site ${site} can tell how they are (${reason}), so their health is unknown and they are not healed. One check says: ${reason}: do something`,
    ];
    const expected = [say(2, 'a', 'fping-missing'), say(1, 'a', 'no-route'), say(1, 'b', 'no-route')];
    expect(await notices()).toEqual(expected);
    expect(await notices()).toEqual(expected);
    expect(logged.map(({ subject }) => subject)).toEqual(expected.map(([subject]) => subject));
    await looked(vms[0]!, well);
    await looked({ ...vms[3]! }, well);
    expect(await notices()).toEqual([say(1, 'a', 'fping-missing'), say(1, 'a', 'no-route')]);
  });

  it('though nothing was ever conclusive, after three intervals and a timeout', async () => {
    const vm = await looked(await registerVm(database, { createdAt: new Date(NOON) }), CANNOT('no-address'));
    await database.pool.query('UPDATE check_configs SET created_at = $1, updated_at = $1', [new Date(NOON)]);
    nowMs = NOON + 190_000;
    await database.pool.query('UPDATE vm_status SET last_look_at = $1', [new Date(nowMs)]);
    expect(await notices()).toEqual([]);
    nowMs += 1;
    expect(await notices()).toHaveLength(1);
    await looked(vm, probeResult('unhealthy'));
    expect(await notices()).toEqual([]);
  });
});

describe('the notice of an ill VM that is not healed any more is open', () => {
  const notices = async () => {
    await noticeFleet(deps);
    return (await open('needs-a-person')).map(({ subject, tenant_id, message }) => [subject, tenant_id, message]);
  };

  /** An ill VM whose heal made these decisions. */
  async function held(name: string, ...decisions: Decision[]): Promise<string> {
    const { vmId } = await registerVm(database, { name, tenantId: 'acme' });
    await recordIncident(database, vmId, NOON);
    for (const decision of decisions) await recordHealStep(database.orm, ill({ vmId }), { decision, guards: [] }, NOON);
    return vmId;
  }

  const hold = (reason: Objection['reason']): Decision => {
    return { kind: 'hold', reason, sentence: `${reason}, so to say`, wouldChange: 'a person', lookAgainInMs: 1 };
  };

  it('until its heal decides something else, or is over', async () => {
    const usedUp = await held('used up', hold('cooldown'), hold('attempts-used-up'));
    const locked = await held('locked', hold('not-sendable'));
    await held('waits', hold('attempts-used-up'), hold('cooldown'));
    const told = (vmId: string, name: string, reason: string) => [
      `vm/${vmId}`,
      'acme',
      `VM "${name}" is ill and is not healed any more: ${reason}, so to say`,
    ];
    const expected = [told(usedUp, 'used up', 'attempts-used-up'), told(locked, 'locked', 'not-sendable')];
    expect(await notices()).toEqual(expected.toSorted());
    await recordHealStep(database.orm, ill({ vmId: usedUp }), { decision: hold('cooldown'), guards: [] }, NOON);
    await recordIncidentClosed(database.orm, locked, 1, 'recovered', NOON);
    expect(await notices()).toEqual([]);
  });
});

it('tells people of a VM that for more than an hour could not be healed for a reason that may pass by itself', async () => {
  const names: string[] = [];
  const reasons = ['off-at-hypervisor', 'in-transit', 'provider-unreachable', 'action-unsupported', 'cooldown'];
  for (const reason of reasons) {
    const { vmId } = await registerVm(database, { name: reason });
    await recordIncident(database, vmId, NOON);
    const decision: Decision = { kind: 'hold', reason, sentence: 'so it is', wouldChange: 'time', lookAgainInMs: 1 };
    await recordHealStep(database.orm, ill({ vmId }), { decision, guards: [] }, NOON);
    if (reason !== 'cooldown') names.push(reason);
  }
  const told = async () => {
    await noticeFleet(deps);
    return (await open('needs-a-person')).map(({ message }) => /"(.*)"/.exec(message)?.[1]).toSorted();
  };
  nowMs = NOON + 60 * MINUTE;
  expect(await told()).toEqual([]);
  nowMs += 1;
  expect(await told()).toEqual(names.toSorted());
});

it('tells people once of a storage that failed, however many VMs it has stopped', async () => {
  const vms = await Promise.all(
    [
      ['a', 'h1'],
      ['a', 'h1'],
      ['a', null],
      ['b', 'h1'],
    ].map(async ([site = '', host = null], index) => {
      const { vmId } = await registerVm(database, { name: `vm${index}`, site: site ?? '', host });
      await recordIncident(database, vmId, NOON);
      const reading = { state: 'storage-failed', sinceMs: NOON, before: null } as const;
      await recordPowerReading(database.orm, vmId, 1, reading);
      return vmId;
    }),
  );
  const subjects = async () => {
    await noticeFleet(deps);
    return (await open('storage-failed')).map(({ subject, message }) => [subject, message]);
  };
  const say = (where: string, count: number, names: string) =>
    `The storage of ${where} failed: ${count} VMs have stopped (${names}). They are not reset; they are resumed once it answers.`;
  expect(await subjects()).toEqual([
    ['site/a', say('site a', 1, 'vm2')],
    ['site/a/host/h1', say('host h1 (site a)', 2, 'vm0, vm1')],
    ['site/b/host/h1', say('host h1 (site b)', 1, 'vm3')],
  ]);
  const runs = { state: 'running', sinceMs: NOON, before: 'storage-failed' } as const;
  for (const vmId of vms.slice(0, 2)) await recordPowerReading(database.orm, vmId, 1, runs);
  await recordIncidentClosed(database.orm, vms[2] ?? '', 1, 'recovered', NOON);
  expect((await subjects()).map(([subject]) => subject)).toEqual(['site/b/host/h1']);
});

it('closes notices however many stay open', async () => {
  const subjects = Array.from({ length: 70_000 }, (_, index) => `check/${index}`);
  expect(await recordNoticesClosedExcept(database.orm, 'unproven-check', subjects, NOON)).toEqual([]);
});
