import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LookOutcome } from '../../activities/look/look.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { migrate } from '../../db/migrate.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { until } from '../../local/until.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type SmallDiskPostgres, startOnSmallDisk } from '../support/small-disk/small-disk.ts';
import { Looking, MINUTE, seen, stored, successesOf, tick } from './looking.ts';

describe('looks while Postgres is frozen', () => {
  let server: OwnPostgres;
  let script: Database;
  let looking: Looking;
  beforeAll(async () => {
    server = await startOwnPostgres();
    script = openDatabase(server.url, { applicationName: 'script' });
    await ensurePartitions(script.pool, NOON);
    looking = new Looking(server.url);
  });
  afterAll(async () => {
    server.thaw();
    await looking.close();
    await script.close();
    await server.stop();
  });

  it('go on, say why nothing is stored, and have everything stored in order when it goes on', async () => {
    const vm = await registerVm(script, {}, [{}]);
    expect(await looking.at(vm.vmId, tick(vm, 0))).toMatchObject({ kind: 'looked' });
    server.freeze();
    let outcome: LookOutcome | undefined;
    for (let n = 1; n <= 20; n++) {
      outcome = await looking.at(vm.vmId, tick(vm, n), outcome);
      expect(outcome).toMatchObject({ kind: 'not-stored', away: { reason: 'not-answering' } });
    }
    expect(seen.probed).toHaveLength(21);
    server.thaw();
    await until(() => looking.reads.state.trouble === null);
    expect(await looking.at(vm.vmId, tick(vm, 21), outcome)).toMatchObject({ kind: 'looked' });
    expect(await stored(script, vm)).toEqual(Array.from({ length: 22 }, (_, n) => [n, 'healthy']));
    expect(await successesOf(script, vm)).toBe(22);
    expect(looking.unstored.isEmpty).toBe(true);
  });
});

describeNeeding(['small-disk'], 'looks while the disk of Postgres is full', () => {
  let server: SmallDiskPostgres;
  let script: Database;
  let looking: Looking;
  beforeAll(async () => {
    server = await startOnSmallDisk();
    await migrate(server.url);
    script = openDatabase(server.url, { applicationName: 'script' });
    await ensurePartitions(script.pool, NOON);
    looking = new Looking(server.url);
  });
  afterAll(async () => {
    await looking?.close();
    await script?.close();
    await server?.stop();
  });

  it('go on, probe nothing twice although its due time is not stored, and lose nothing', async () => {
    const vm = await registerVm(script, {}, [
      { target: '/often', intervalSeconds: 60 },
      { target: '/seldom', intervalSeconds: 3_600 },
    ]);
    server.fill();
    let outcome: LookOutcome | undefined;
    for (let n = 0; n < 5; n++) {
      outcome = await looking.at(vm.vmId, tick(vm, n), outcome);
      expect(outcome).toMatchObject({ kind: 'not-stored', away: { reason: 'disk-full' } });
    }
    // when its tick comes depends on the VM: during these looks, for some
    const ticks = tickAtOrBefore(vm.vmId, 60 * MINUTE, tick(vm, 4)) > tick(vm, 0) ? 2 : 1;
    expect(seen.probed.filter((target) => target === '/seldom')).toHaveLength(ticks);
    expect(seen.probed.filter((target) => target === '/often')).toHaveLength(5);
    server.free();
    await until(async () => {
      outcome = await looking.at(vm.vmId, tick(vm, 4), outcome);
      return outcome.kind === 'looked';
    });
    expect(await stored(script, vm)).toHaveLength(5 + ticks);
  });
});
