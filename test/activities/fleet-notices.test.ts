import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { noticeFleet } from '../../activities/fleet-notices.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordNoticesClosedExcept } from '../../db/notices/notices.ts';
import { type ProbeResult } from '../../domain/probe-result.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { probeResult } from '../domain/examples.ts';
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
  for (const table of ['notices', 'check_state', 'check_configs', 'vm_status', 'vms']) {
    await database.pool.query(`DELETE FROM ${table}`);
  }
  logged = [];
  nowMs = NOON;
});

/** The VM after looks at every minute, the last one now, in which all its checks found that. */
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

describe('of a check that has never succeeded people are told', () => {
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
          'The http check of VM "web" has never succeeded: is its target right? Its failures heal nothing until it has. It says: HTTP timeout (10s)',
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

it('closes notices however many stay open', async () => {
  const subjects = Array.from({ length: 70_000 }, (_, index) => `check/${index}`);
  expect(await recordNoticesClosedExcept(database.orm, 'unproven-check', subjects, NOON)).toEqual([]);
});
