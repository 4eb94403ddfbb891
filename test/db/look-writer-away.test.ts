import { afterAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { databaseTrouble } from '../../db/database-trouble.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { breakableLink } from './breakable-link.ts';
import { backendThatWaits, holdRow } from './held-row.ts';
import { count, lookOf, NOON, readVm, registerVm, resultsOf } from './watched.ts';

const MINUTE = 60_000;

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

describe('while Postgres is away', () => {
  const away = (error: unknown) => expect(databaseTrouble(error), String(error)).not.toBeNull();

  it('a look whose connection is ended by the server is rejected as such, and stored when tried again', async () => {
    const own = openDatabase(testDatabase.url, { applicationName: 'ended' });
    const looks = createLookWriter(own.pool);
    const vm = await registerVm(database);
    const holder = await holdRow(testDatabase.url, vm.vmId);
    const written = looks.write(lookOf(vm, resultsOf(vm, NOON))).catch((error: unknown) => error);
    await database.pool.query('SELECT pg_terminate_backend($1)', [await backendThatWaits(database.pool, 'ended')]);
    away(await written);
    await holder.release();
    expect(await looks.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('stored');
    expect(await count(database.pool, 'check_results', vm.vmId)).toBe(1);
    await own.close();
  });

  it('a look whose wire is cut in the middle is rejected as such, no process crashes, and it is stored when tried again', async () => {
    const link = await breakableLink(testDatabase.url);
    const own = openDatabase(link.url, { applicationName: 'cut' });
    const looks = createLookWriter(own.pool);
    const vm = await registerVm(database);
    const holder = await holdRow(testDatabase.url, vm.vmId);
    const written = looks.write(lookOf(vm, resultsOf(vm, NOON))).catch((error: unknown) => error);
    const pid = await backendThatWaits(database.pool, 'cut');
    link.cut();
    away(await written);
    away(await looks.write(lookOf(vm, resultsOf(vm, NOON))).catch((error: unknown) => error));
    // ends it at Postgres, which does not know that nobody waits for the answer
    await database.pool.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
    await holder.release();
    link.mend();
    expect(await looks.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('stored');
    await own.close();
    await link.close();
  });

  it('every look of a group is rejected as such, none is taken for an odd one', async () => {
    const link = await breakableLink(testDatabase.url);
    const own = openDatabase(link.url, { applicationName: 'gone' });
    const looks = createLookWriter(own.pool);
    const vms = await Promise.all([1, 2, 3, 4].map(() => registerVm(database)));
    await link.close();
    const written = await Promise.allSettled(vms.map((vm) => looks.write(lookOf(vm, resultsOf(vm, NOON)))));
    for (const one of written) away(one.status === 'rejected' ? one.reason : new Error(one.value));
    await own.close();
  });

  it('idle connections that the server ended are replaced', async () => {
    const own = openDatabase(testDatabase.url, { applicationName: 'idle' });
    const looks = createLookWriter(own.pool);
    const vm = await registerVm(database);
    expect(await looks.write(lookOf(vm, resultsOf(vm, NOON)))).toBe('stored');
    const gone = new Promise<void>((resolve) => own.pool.once('remove', () => resolve()));
    await database.pool.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'idle'",
    );
    await gone;
    const known = await readVm(database.pool, vm.vmId);
    expect(await looks.write(lookOf(known, resultsOf(known, NOON + MINUTE)))).toBe('stored');
    await own.close();
  });
});
