import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { LookInput } from '../../activities/contract.ts';
import { createWatchActivities } from '../../activities/watch.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import { breakableLink } from '../db/breakable-link.ts';
import { NOON, registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { Looking, seen, stored, tick } from './looking.ts';

describe('the look in care, as operators read it', () => {
  it('names why nothing is stored, keeps the results, and drops them once they are stored', async () => {
    const { url, database, close } = await openTestDatabase(NOON);
    const link = await breakableLink(url);
    const looking = new Looking(link.url);
    const { watch } = createWatchActivities(looking.deps);
    const vm = await registerVm(database);
    const input: LookInput = {
      vmId: vm.vmId,
      deliveredSeq: 1,
      settingsVersion: 1,
      healOpen: false,
      watchCloselyUntilMs: null,
      now: false,
    };
    let details: CheckResult[] | undefined;
    const attempt = async (atMs: number) => {
      seen.nowMs = atMs;
      const env = new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000, heartbeatDetails: details });
      env.on('heartbeat', (given: CheckResult[]) => {
        details = given;
      });
      return env.run(watch, input).catch((error: Error) => error);
    };
    expect(await attempt(tick(vm, 0))).toMatchObject({ type: 'Steady' });
    expect(details).toBeUndefined();
    link.cut();
    const away = await attempt(tick(vm, 1));
    expect(away).toMatchObject({ type: 'Steady' });
    expect((away as Error).message).toMatch(/^healthy .*· not stored: the database is away \(unreachable\)$/);
    expect(details).toHaveLength(1);
    // its due time is not stored either: it is not due again at once
    expect((away as ApplicationFailure).nextRetryDelay).toBeGreaterThan(1_000);
    link.mend();
    expect(await attempt(tick(vm, 2))).toMatchObject({ type: 'Steady' });
    expect(details).toEqual([]);
    expect(await stored(database, vm)).toHaveLength(3);
    await looking.close();
    await link.close();
    await close();
  });
});
