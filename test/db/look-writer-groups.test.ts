import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { LIMITS } from '../../db/limits.ts';
import type { LookRecord } from '../../db/looks/look-statement.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { holdRow } from './held-row.ts';
import { count, DAY, lookOf, NOON, registerVm, resultsOf } from './watched.ts';

const MINUTE = 60_000;

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
const writer = createLookWriter(database.pool);
afterAll(testDatabase.close);

/** All rows of a table about a VM. */
async function rowsOf(table: string, vmId: string, order = '1'): Promise<Record<string, unknown>[]> {
  return (await database.pool.query(`SELECT * FROM ${table} WHERE vm_id = $1 ORDER BY ${order}`, [vmId])).rows;
}

describe('many looks at once', () => {
  const registerMany = (n: number) => Promise.all(Array.from({ length: n }, () => registerVm(database)));

  it('are all stored, sharing their commits', async () => {
    const vms = await registerMany(200);
    const written = await Promise.all(vms.map((vm) => writer.write(lookOf(vm, resultsOf(vm, NOON)))));
    expect(new Set(written)).toEqual(new Set(['stored']));
    const ids = vms.map((vm) => vm.vmId);
    const sql =
      'SELECT count(DISTINCT xmin::text)::int AS commits, count(*)::int AS rows FROM vm_status WHERE vm_id = ANY($1)';
    expect((await database.pool.query(sql, [ids])).rows).toEqual([{ commits: 2, rows: 200 }]);
    for (const vm of vms) expect(await count(database.pool, 'check_results', vm.vmId)).toBe(1);
  });

  it('hold up none of the others when some were overtaken', async () => {
    const vms = await registerMany(10);
    const late = vms.filter((_, i) => i % 3 === 0);
    await Promise.all(late.map((vm) => writer.write(lookOf(vm, resultsOf(vm, NOON)))));
    const written = await Promise.all(vms.map((vm) => writer.write(lookOf(vm, resultsOf(vm, NOON + MINUTE)))));
    expect(written).toEqual(vms.map((vm) => (late.includes(vm) ? 'overtaken' : 'stored')));
  });

  const spoil = {
    'a counter beyond what its column holds': (look: LookRecord) => ({
      ...look,
      states: look.states.map((state) => ({ ...state, consecutiveSuccesses: 2 ** 40 })),
    }),
    'a word that JSON in Postgres refuses': (look: LookRecord) => ({
      ...look,
      folded: look.folded.map((one) => ({ ...one, reason: 'a\u0000b' })),
    }),
    'a status that is missing': (look: LookRecord) => ({
      ...look,
      folded: look.folded.map((one) => ({ ...one, status: null as never })),
    }),
    'a tick beyond the calendar': (look: LookRecord) => ({
      ...look,
      folded: look.folded.map((one) => ({ ...one, dueAtMs: 9e17 })),
    }),
    'a tick that is no time': (look: LookRecord) => ({
      ...look,
      folded: look.folded.map((one) => ({ ...one, dueAtMs: Number.NaN })),
    }),
    'something that cannot even be written down': (look: LookRecord) => ({
      ...look,
      folded: look.folded.map((one) => ({ ...one, message: 1 as never })),
    }),
  };

  it.each(Object.entries(spoil))('fail only for the one with %s', async (_title, spoiled) => {
    const vms = await registerMany(13);
    const [bad] = vms.slice(7);
    const written = await Promise.allSettled(
      vms.map((vm) => {
        const look = lookOf(vm, resultsOf(vm, NOON));
        return writer.write(vm === bad ? spoiled(look) : look);
      }),
    );
    expect(written.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(
      vms.map((vm) => (vm === bad ? 'failed' : 'stored')),
    );
    for (const vm of vms) expect(await count(database.pool, 'check_results', vm.vmId)).toBe(vm === bad ? 0 : 1);
    expect(await rowsOf('vm_status', bad?.vmId ?? '')).toMatchObject([{ status: 'unknown', look_seq: '0' }]);
  });

  it('fail only for the one without a possible day, also when the others have no results', async () => {
    const vms = await registerMany(4);
    const [bad] = vms;
    const written = await Promise.allSettled(
      vms.map((vm) =>
        writer.write(vm === bad ? spoil['a tick that is no time'](lookOf(vm, resultsOf(vm, NOON))) : lookOf(vm, [])),
      ),
    );
    expect(written.map((one) => one.status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });

  it('fail only for the one whose row somebody holds for too long', async () => {
    const own = openDatabase(testDatabase.url, {
      applicationName: 'impatient',
      limits: { ...LIMITS.writes, lockMs: 150 },
    });
    const looks = createLookWriter(own.pool);
    const vms = await registerMany(6);
    const [held] = vms.slice(3);
    const holder = await holdRow(testDatabase.url, held?.vmId ?? '');
    const written = await Promise.allSettled(vms.map((vm) => looks.write(lookOf(vm, resultsOf(vm, NOON)))));
    expect(written.map((one) => one.status)).toEqual(vms.map((vm) => (vm === held ? 'rejected' : 'fulfilled')));
    await holder.release();
    await own.close();
  });

  it('go on after a group that failed', async () => {
    const [first, second] = await registerMany(2);
    if (!first || !second) throw new Error('two VMs');
    const bad = spoil['a counter beyond what its column holds'](lookOf(first, resultsOf(first, NOON)));
    await expect(writer.write(bad)).rejects.toThrow(/out of range/);
    expect(await writer.write(lookOf(first, resultsOf(first, NOON)))).toBe('stored');
    expect(await writer.write(lookOf(second, resultsOf(second, NOON)))).toBe('stored');
  });
});

describe('what a checked server answers', () => {
  it('is stored without NUL and lone surrogates, wherever they were', async () => {
    const vm = await registerVm(database);
    const odd = probeResult('unhealthy', {
      message: 'HTTP 500 \u0000\ud800!',
      rawResponse: { 'bo\u0000dy': ['\udfff', { deep: 'a\u0000b' }], latency: Number.POSITIVE_INFINITY },
    });
    expect(await writer.write(lookOf(vm, resultsOf(vm, NOON, odd)))).toBe('stored');
    const message = 'HTTP 500 \ufffd!';
    expect(await rowsOf('check_results', vm.vmId)).toMatchObject([
      { message, raw_response: { body: ['\ufffd', { deep: 'ab' }], latency: null } },
    ]);
    expect(await rowsOf('check_state', vm.vmId)).toMatchObject([{ message }]);
    expect(await rowsOf('vm_status', vm.vmId)).toMatchObject([{ reasons: [{ message }] }]);
    expect(await rowsOf('health_transitions', vm.vmId)).toMatchObject([{ reasons: [{ message }] }]);
  });
});

describe('a look for a day without a partition', () => {
  it('has one made, also for several days in one group', async () => {
    const vms = await Promise.all([1, 2, 3].map(() => registerVm(database)));
    const dues = [NOON - 40 * DAY, NOON - 41 * DAY, NOON];
    const written = await Promise.all(vms.map((vm, i) => writer.write(lookOf(vm, resultsOf(vm, dues[i] ?? NOON)))));
    expect(written).toEqual(['stored', 'stored', 'stored']);
    const made = "SELECT to_regclass('check_results_20261013') AS a, to_regclass('check_results_20261012') AS b";
    expect((await database.pool.query(made)).rows).toEqual([
      { a: 'check_results_20261013', b: 'check_results_20261012' },
    ]);
  });
});
