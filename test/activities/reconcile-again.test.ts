import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import type { Dependencies, TemporalPort } from '../../activities/dependencies.ts';
import { reconcileAgain } from '../../activities/reconcile-again.ts';
import { STEADY } from '../../activities/steady.ts';
import { registerVm } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase();
afterAll(close);

const temporal: Partial<TemporalPort> = {
  announce: async () => true,
  inspect: async () => [],
  countWatched: async () => 0,
  closedVmIds: async () => [],
};
const deps = { database, temporal, log: pino({ level: 'silent' }), now: Date.now } as unknown as Dependencies;
const EVERY_MS = 60_000;
const again = () => new MockActivityEnvironment().run(() => reconcileAgain(deps, EVERY_MS));

it('a time that repaired nothing ends as Steady with what it found, and the next one begins a minute after it began', async () => {
  const ended = await again().then(
    () => null,
    (error: ApplicationFailure) => error,
  );
  expect(ended).toMatchObject({ type: STEADY, message: 'announced 0, watched 0, heals 0, retired 0, stuck 0' });
  const delayMs = Number(ended?.nextRetryDelay);
  expect(delayMs).toBeGreaterThan(0);
  expect(delayMs).toBeLessThan(EVERY_MS);
});

it('a time that repaired something is an answer', async () => {
  await registerVm(database, { settingsVersion: 2, announcedVersion: 1 }, []);
  expect(await again()).toEqual({ line: 'announced 1, watched 0, heals 0, retired 0, stuck 0', mended: 1 });
});
