import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { createLookWriter, type LookWriter } from '../../db/looks/look-writer.ts';
import { CHANNEL } from '../../db/notify.ts';
import { probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { count, lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const MINUTE = 60_000;

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
const writer = createLookWriter(database.pool);
afterAll(testDatabase.close);

/** All rows of a table about a VM. */
async function rowsOf(table: string, vmId: string, order = '1'): Promise<Record<string, unknown>[]> {
  return (await database.pool.query(`SELECT * FROM ${table} WHERE vm_id = $1 ORDER BY ${order}`, [vmId])).rows;
}

/** Everything the writer may touch. */
async function stateOf(vmId: string) {
  const tables = ['vm_status', 'check_state', 'check_results', 'health_transitions'];
  return Promise.all(tables.map((table) => rowsOf(table, vmId)));
}

const ILL = probeResult('unhealthy', {
  rawResponse: { statusCode: 503, body: 'no' },
  reason: 'http-status',
  message: 'HTTP 503',
});

describe('a look that nobody overtook', () => {
  it('is stored with its results, its checks’ states, the VM’s health and the transition', async () => {
    const vm = await registerVm(database, {}, [{}, { checkType: 'tcp' }]);
    const [http = '', tcp = ''] = vm.checks.map((check) => check.checkId);
    const results = [...resultsOf(vm, NOON).slice(0, 1), ...resultsOf(vm, NOON, ILL).slice(1)];
    expect(await writer.write(lookOf(vm, results, NOON + 50))).toBe('stored');

    expect(await rowsOf('vm_status', vm.vmId)).toMatchObject([
      {
        status: 'degraded',
        consecutive_failures: 1,
        transition_seq: 1,
        look_seq: '1',
        last_look_at: new Date(NOON + 50),
      },
    ]);
    const states = await rowsOf('check_state', vm.vmId);
    expect(new Map(states.map((state) => [state['check_id'], [state['status'], state['seq']]]))).toEqual(
      new Map([
        [http, ['healthy', '1']],
        [tcp, ['degraded', '1']],
      ]),
    );
    expect(await rowsOf('check_results', vm.vmId, 'status')).toMatchObject([
      { check_id: http, check_type: 'http', status: 'healthy', latency_ms: 12, due_at: new Date(NOON) },
      {
        check_id: tcp,
        check_type: 'tcp',
        status: 'unhealthy',
        reason: 'http-status',
        message: 'HTTP 503',
        raw_response: { statusCode: 503, body: 'no' },
        checked_at: new Date(NOON + 3),
      },
    ]);
    expect(await rowsOf('health_transitions', vm.vmId)).toMatchObject([
      { seq: 1, from_status: 'unknown', to_status: 'degraded', at: new Date(NOON + 50), reasons: [{ checkId: tcp }] },
    ]);
  });

  it('that changes nothing adds results and no transition', async () => {
    const vm = await registerVm(database);
    await writer.write(lookOf(vm, resultsOf(vm, NOON)));
    const known = await readVm(database.pool, vm.vmId);
    expect(await writer.write(lookOf(known, resultsOf(known, NOON + MINUTE)))).toBe('stored');
    expect(await count(database.pool, 'check_results', vm.vmId)).toBe(2);
    expect(await count(database.pool, 'health_transitions', vm.vmId)).toBe(1);
  });

  it('that saw nothing new proves that somebody looked', async () => {
    const vm = await registerVm(database);
    expect(await writer.write(lookOf(vm, [], NOON + 9))).toBe('stored');
    expect(await rowsOf('vm_status', vm.vmId)).toMatchObject([{ last_look_at: new Date(NOON + 9), status: 'unknown' }]);
  });
});

describe('a look that was overtaken', () => {
  it('leaves nothing behind when another was folded first', async () => {
    const vm = await registerVm(database);
    await writer.write(lookOf(vm, resultsOf(vm, NOON)));
    const before = await stateOf(vm.vmId);
    expect(await writer.write(lookOf(vm, resultsOf(vm, NOON + MINUTE, ILL)))).toBe('overtaken');
    expect(await stateOf(vm.vmId)).toEqual(before);
  });

  it('leaves nothing behind when the VM has got another watcher', async () => {
    const vm = await registerVm(database);
    await database.pool.query('UPDATE vms SET watch_epoch = watch_epoch + 1 WHERE id = $1', [vm.vmId]);
    const before = await stateOf(vm.vmId);
    expect(await writer.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('overtaken');
    expect(await stateOf(vm.vmId)).toEqual(before);
  });

  it('leaves nothing behind when the VM was removed', async () => {
    const vm = { ...(await registerVm(database)), vmId: randomUUID() };
    expect(await writer.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('overtaken');
    expect(await count(database.pool, 'check_results', vm.vmId)).toBe(0);
  });

  it('is one of two that were written at the same time', async () => {
    const vm = await registerVm(database);
    const written = await Promise.all([
      writer.write(lookOf(vm, resultsOf(vm, NOON))),
      writer.write(lookOf(vm, resultsOf(vm, NOON, ILL))),
    ]);
    expect(written.toSorted()).toEqual(['overtaken', 'stored']);
    expect(await count(database.pool, 'check_results', vm.vmId)).toBe(1);
  });
});

describe('several watchers of one VM', () => {
  it('fold each tick exactly once between them', async () => {
    const { vmId } = await registerVm(database);
    const ticks = Array.from({ length: 25 }, (_, i) => NOON + i * MINUTE);
    const nowMs = Math.max(...ticks);
    const watch = async (own: LookWriter) => {
      let stored = 0;
      for (const tick of ticks) {
        for (;;) {
          const vm = await readVm(database.pool, vmId);
          const look = lookOf(vm, resultsOf(vm, tick), nowMs);
          // no more to say about a tick that another watcher has folded
          if (look.folded.length === 0) break;
          if ((await own.write(look)) === 'stored') stored++;
        }
      }
      return stored;
    };
    const stored = await Promise.all(
      [writer, createLookWriter(database.pool), createLookWriter(database.pool)].map(watch),
    );
    expect(stored.reduce((a, b) => a + b)).toBe(ticks.length);
    const vm = await readVm(database.pool, vmId);
    expect(vm.checks[0]?.state.consecutiveSuccesses).toBe(ticks.length);
    expect(vm.lookSeq).toBe(ticks.length);
    expect((await rowsOf('check_results', vmId, 'due_at')).map((row) => Number(row['due_at']))).toEqual(ticks);
    expect(await count(database.pool, 'health_transitions', vmId)).toBe(1);
  });
});

describe('people who watch', () => {
  async function listening() {
    const client = new Client({ connectionString: testDatabase.url });
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    const heard: object[] = [];
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    client.on('notification', ({ payload = '' }) => (payload === '"end"' ? ended() : heard.push(JSON.parse(payload))));
    return {
      /** What was said up to now; Postgres delivers in the order of commits. */
      async heard(): Promise<object[]> {
        await database.pool.query('SELECT pg_notify($1, $2)', [CHANNEL, '"end"']);
        await end;
        await client.end();
        return heard;
      },
    };
  }

  it('are told of each transition, and of no look without one', async () => {
    const vm = await registerVm(database);
    const listener = await listening();
    await writer.write(lookOf(vm, resultsOf(vm, NOON)));
    for (const [minute, result] of [
      [1, probeResult('healthy')],
      [2, ILL],
      [3, ILL],
    ] as const) {
      const known = await readVm(database.pool, vm.vmId);
      await writer.write(lookOf(known, resultsOf(known, NOON + minute * MINUTE, result)));
    }
    const told = { kind: 'health', vmId: vm.vmId, tenantId: 'default' };
    expect(await listener.heard()).toEqual([
      { ...told, from: 'unknown', to: 'healthy', seq: 1 },
      { ...told, from: 'healthy', to: 'degraded', seq: 2 },
    ]);
  });

  it('are told once of each VM in a group', async () => {
    const vms = await Promise.all(Array.from({ length: 5 }, () => registerVm(database)));
    const listener = await listening();
    await Promise.all(vms.map((vm) => writer.write(lookOf(vm, resultsOf(vm, NOON)))));
    const heard = (await listener.heard()) as { vmId: string }[];
    expect(heard.map((one) => one.vmId).toSorted()).toEqual(vms.map((vm) => vm.vmId).toSorted());
  });

  it('find what they are told of, for it is said in its own transaction', async () => {
    const vm = await registerVm(database);
    const client = new Client({ connectionString: testDatabase.url });
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    const found = new Promise<unknown>((resolve) => {
      client.on('notification', () => resolve(count(database.pool, 'health_transitions', vm.vmId)));
    });
    await writer.write(lookOf(vm, resultsOf(vm, NOON)));
    expect(await found).toBe(1);
    await client.end();
  });

  it('are not told of a look that was overtaken or that failed', async () => {
    const vm = await registerVm(database);
    await writer.write(lookOf(vm, resultsOf(vm, NOON)));
    const listener = await listening();
    expect(await writer.write(lookOf(vm, resultsOf(vm, NOON + MINUTE, ILL)))).toBe('overtaken');
    const known = await readVm(database.pool, vm.vmId);
    const look = lookOf(known, resultsOf(known, NOON + MINUTE, ILL));
    const failing = { ...look, states: look.states.map((state) => ({ ...state, consecutiveFailures: 2 ** 40 })) };
    await expect(writer.write(failing)).rejects.toThrow();
    expect(await listener.heard()).toEqual([]);
  });
});
