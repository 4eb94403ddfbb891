import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LookOutcome } from '../../activities/look/look.ts';
import type { Probe } from '../../checks/check.ts';
import type { Database } from '../../db/database.ts';
import { findCount } from '../../db/upkeep/counts.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import { until } from '../../local/until.ts';
import { type BreakableLink, breakableLink } from '../db/breakable-link.ts';
import { holdRow } from '../db/held-row.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { probeResult } from '../domain/examples.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { type Given, Looking, probe, seen, stored, tick } from './looking.ts';

describe('looks while the network drops what is sent to Postgres', () => {
  let link: BreakableLink;
  let looking: Looking;
  const testDatabase = openTestDatabase(NOON);
  beforeEach(async () => {
    link = await breakableLink((await testDatabase).url);
    looking = new Looking(link.url);
  });
  afterEach(async () => {
    link.mend();
    await looking.close();
    await link.close();
  });
  afterAll(async () => (await testDatabase).close());

  it('go on, and have everything stored in order when it comes through again', async () => {
    const { database } = await testDatabase;
    const vm = await registerVm(database, {}, [{}]);
    await looking.at(vm.vmId, tick(vm, 0));
    link.silence();
    let outcome: LookOutcome | undefined;
    for (let n = 1; n <= 8; n++) outcome = await looking.at(vm.vmId, tick(vm, n), outcome);
    expect(outcome).toMatchObject({ kind: 'not-stored', away: { reason: 'not-answering' } });
    expect(seen.probed).toHaveLength(9);
    link.mend();
    await until(() => looking.reads.state.trouble === null);
    await looking.at(vm.vmId, tick(vm, 9), outcome);
    expect((await stored(database, vm)).map(([minute]) => minute)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('can not look at a VM that they never knew, and say why', async () => {
    const vm = await registerVm((await testDatabase).database);
    link.silence();
    expect(await looking.at(vm.vmId, tick(vm, 0))).toMatchObject({
      kind: 'not-stored',
      vm: null,
      away: { reason: 'not-answering' },
    });
    expect(seen.probed).toEqual([]);
  });
});

describe('what was seen while Postgres was away', () => {
  const testDatabase = openTestDatabase(NOON);
  afterAll(async () => (await testDatabase).close());

  let links: BreakableLink[] = [];
  let lookings: Looking[] = [];
  afterEach(async () => {
    for (const link of links) link.mend();
    for (const looking of lookings) await looking.close();
    for (const link of links) await link.close();
    links = [];
    lookings = [];
  });

  async function start(
    given: Given = {},
  ): Promise<{ database: Database; reads: BreakableLink; writes: BreakableLink; looking: Looking }> {
    const { url, database } = await testDatabase;
    const [reads, writes] = await Promise.all([breakableLink(url), breakableLink(url)]);
    const looking = new Looking(reads.url, { writesUrl: writes.url, ...given });
    links.push(reads, writes);
    lookings.push(looking);
    return { database, reads, writes, looking };
  }

  interface Links {
    reads: BreakableLink;
    writes: BreakableLink;
  }
  const cutBoth = ({ reads, writes }: Links) => {
    reads.cut();
    writes.cut();
  };
  const mendBoth = ({ reads, writes }: Links) => {
    reads.mend();
    writes.mend();
  };

  it('is stored too when Postgres comes back in the middle of a look, after it was read from memory', async () => {
    const world = await start();
    const vm = await registerVm(world.database);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    seen.found = probeResult('unhealthy');
    const before = await world.looking.at(vm.vmId, tick(vm, 1));
    world.writes.mend();
    seen.found = probeResult('healthy');
    expect(await world.looking.at(vm.vmId, tick(vm, 2), before)).toMatchObject({ kind: 'looked' });
    expect(await stored(world.database, vm)).toEqual([
      [0, 'healthy'],
      [1, 'unhealthy'],
      [2, 'healthy'],
    ]);
  });

  it('is not lost with a look that is cancelled, and its heartbeat with it', async () => {
    const world = await start();
    const vm = await registerVm(world.database);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    await world.looking.at(vm.vmId, tick(vm, 1));
    mendBoth(world);
    await world.looking.at(vm.vmId, tick(vm, 2));
    expect((await stored(world.database, vm)).map(([minute]) => minute)).toEqual([0, 1, 2]);
  });

  it('is stored although this process looks at its VM no more', async () => {
    const world = await start();
    const [gone, other] = await Promise.all([registerVm(world.database), registerVm(world.database)]);
    await world.looking.at(gone.vmId, tick(gone, 0));
    cutBoth(world);
    await world.looking.at(gone.vmId, tick(gone, 1));
    mendBoth(world);
    await world.looking.at(other.vmId, tick(other, 4));
    await until(async () => (await stored(world.database, gone)).length === 2);
    const sql = 'SELECT last_look_at FROM vm_status WHERE vm_id = $1';
    const { rows } = await world.database.pool.query(sql, [gone.vmId]);
    // nobody looked at it since
    expect(rows[0].last_look_at.getTime()).toBe(tick(gone, 1));
    await until(() => world.looking.unstored.isEmpty);
  });

  it('is not lost when its probe ended after its look', async () => {
    let answer: (result: ProbeResult) => void = () => undefined;
    const slow: Probe = {
      about: 'alive',
      needsCorroboration: false,
      needs: [],
      probe: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    };
    const world = await start({
      probes: new Map([
        ['http', probe],
        ['tcp', slow],
      ]),
    });
    const vm = await registerVm(world.database, {}, [
      { intervalSeconds: 1, timeoutSeconds: 1 },
      { checkType: 'tcp', target: 'slow', intervalSeconds: 3_600, timeoutSeconds: 60 },
    ]);
    expect(await world.looking.at(vm.vmId, tick(vm, 0))).toMatchObject({ kind: 'looked' });
    cutBoth(world);
    answer(probeResult('unhealthy', { reason: 'came-late' }));
    await until(() => !world.looking.unstored.isEmpty);
    mendBoth(world);
    await world.looking.at(vm.vmId, tick(vm, 0) + 1_000);
    const { rows } = await world.database.pool.query('SELECT reason FROM check_results WHERE vm_id = $1', [vm.vmId]);
    expect(rows.map(({ reason }) => reason)).toContain('came-late');
  });

  const letGoIn = ({ pool }: Database) => findCount(pool, 'results.let-go');

  it('is kept up to a bound, the newest of it, and what was let go is counted', async () => {
    const world = await start();
    const letGoBefore = await letGoIn(world.database);
    const vm = await registerVm(world.database);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    let outcome: LookOutcome | undefined;
    for (let n = 1; n <= 65; n++) outcome = await world.looking.at(vm.vmId, tick(vm, n), outcome);
    expect(outcome?.kind === 'not-stored' && outcome.unstored).toHaveLength(60);
    expect(world.looking.unstored.letGo).toBe(5);
    mendBoth(world);
    await world.looking.at(vm.vmId, tick(vm, 66), outcome);
    const minutes = (await stored(world.database, vm)).map(([minute]) => minute);
    expect(minutes).toEqual([0, ...Array.from({ length: 61 }, (_, n) => n + 6)]);
    await until(async () => (await letGoIn(world.database)) === letGoBefore + 5);
  });

  it('is kept beside a flood of looks that people ask for, and what of the flood is let go is counted', async () => {
    const world = await start();
    const letGoBefore = await letGoIn(world.database);
    const vm = await registerVm(world.database);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    let outcome: LookOutcome | undefined;
    for (let n = 1; n <= 10; n++) outcome = await world.looking.at(vm.vmId, tick(vm, n), outcome);
    for (let n = 1; n <= 200; n++) {
      outcome = await world.looking.at(vm.vmId, tick(vm, 10) + n * 250, outcome, { paceMs: null, now: true });
    }
    expect(outcome?.kind === 'not-stored' && outcome.unstored).toHaveLength(60);
    mendBoth(world);
    await world.looking.at(vm.vmId, tick(vm, 11), outcome);
    const minutes = (await stored(world.database, vm)).map(([minute]) => minute).filter(Number.isInteger);
    expect(minutes).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(world.looking.unstored.letGo).toBe(150);
    await until(async () => (await letGoIn(world.database)) === letGoBefore + 150);
  });

  it('is kept of each check, so that one that is seldom due is not looked at over and over', async () => {
    const world = await start();
    const vm = await registerVm(world.database, {}, [
      { target: 'often', timeoutSeconds: 1 },
      { name: 'seldom', target: 'seldom', intervalSeconds: 7_200, timeoutSeconds: 1 },
    ]);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    let outcome: LookOutcome | undefined;
    for (let n = 1; n <= 190; n++) outcome = await world.looking.at(vm.vmId, tick(vm, n), outcome);
    expect(seen.probed.filter((target) => target === 'often')).toHaveLength(191);
    expect(seen.probed.filter((target) => target === 'seldom').length).toBeLessThanOrEqual(3);
  });

  it('is not lost with one result that Postgres refuses', async () => {
    const world = await start();
    const vm = await registerVm(world.database);
    await world.looking.at(vm.vmId, tick(vm, 0));
    cutBoth(world);
    const before = await world.looking.at(vm.vmId, tick(vm, 1));
    mendBoth(world);
    seen.found = probeResult('healthy', { latencyMs: 'fast' as never });
    expect(await world.looking.at(vm.vmId, tick(vm, 2), before)).toMatchObject({ kind: 'looked' });
    expect(await stored(world.database, vm)).toEqual([
      [0, 'healthy'],
      [1, 'healthy'],
      [2, 'unknown'],
    ]);
  });
});

describe('a look whose VM another transaction has locked', () => {
  it('is not lost: its results are stored when the lock ends', async () => {
    const { url, database, close } = await openTestDatabase(NOON);
    const looking = new Looking(url, { limits: { lockMs: 100 } });
    const vm = await registerVm(database);
    const holder = await holdRow(url, vm.vmId);
    const before = await looking.at(vm.vmId, tick(vm, 0));
    expect(before).toMatchObject({ kind: 'not-stored', away: { reason: 'lock-timeout' } });
    await holder.release();
    await looking.at(vm.vmId, tick(vm, 1), before);
    expect((await stored(database, vm)).map(([minute]) => minute)).toEqual([0, 1]);
    await looking.close();
    await close();
  });
});
