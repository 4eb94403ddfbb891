import { pino } from 'pino';
import { vi } from 'vitest';
import { createActivities } from '../../activities/create-activities.ts';
import type { TemporalPort } from '../../activities/dependencies.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { createDatabaseState } from '../../db/database-state.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import { until } from '../../local/until.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createTemporalPort } from '../../temporal/temporal-port.ts';
import { createVmSignals, type VmSignals } from '../../temporal/vm-signals.ts';
import { type BreakableLink, breakableLink } from '../db/breakable-link.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { settingsOf } from '../support/settings.ts';
import { FaultyActivities } from './activity-faults.ts';
import type { Act } from './runtime/activity-run.ts';
import { VirtualClock } from './runtime/virtual-clock.ts';
import { WorkflowRuntime } from './runtime/workflow-runtime.ts';
import { SimulatedSite } from './simulated-site.ts';
import { slowDatabase } from './slow-database.ts';

const BEGINS_MS = Date.UTC(2026, 0, 1);
/** So few that runs often continue as new. */
const MAX_EVENTS = 150;
/** In real time, while virtual time stands still. */
const PACE = { probeEveryMs: 20, overAfterMs: 100, useStandsMs: 90_000 };
const LIMITS = { connectMs: 600, lockMs: 0, statementMs: 400, answerMs: 600, idleMs: 10_000 };

/** The real activities and a real database for the VMs of one play, on fakes at the edges and in virtual time. */
export interface SimulatedWorld {
  clock: VirtualClock;
  /** Where the workflows run. */
  runtime: WorkflowRuntime;
  site: SimulatedSite;
  /** How the play reads and changes what is stored, as the API does; not through the link. */
  database: Database;
  /** Defib's own way to Postgres. */
  link: BreakableLink;
  calls: FaultyActivities;
  /** As the API sends them. */
  signals: VmSignals;
  /** Faults that the play turns on and off. */
  broken: { temporal: boolean; clockMs: number; freezeAfterMoveMs: number; databaseMs: number };
  now(): Promise<number>;
  /** Ends what the link suffers from; Defib's own process notices at once. */
  mendLink(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the world of a play. `Date` is faked, and its time is the play's. */
export async function createSimulatedWorld(vms: number): Promise<SimulatedWorld> {
  const clock = new VirtualClock(BEGINS_MS, (nowMs) => vi.setSystemTime(nowMs));
  const act = (name: string): Act => (calls.activities as unknown as Record<string, Act>)[name]!;
  const runtime = new WorkflowRuntime(clock, act, MAX_EVENTS);
  const test = await createTestDatabase();
  const link = await breakableLink(test.url);
  const state = createDatabaseState(link.url, undefined, PACE);
  const own = openDatabase(link.url, { applicationName: 'simulation', limits: LIMITS, state });
  const database = openDatabase(test.url, { applicationName: 'play' });
  const broken: SimulatedWorld['broken'] = { temporal: false, clockMs: 0, freezeAfterMoveMs: 0, databaseMs: 0 };
  const now = async (): Promise<number> => {
    await setDatabaseTime(database.pool, clock.nowMs);
    return clock.nowMs;
  };
  const sleep = async (ms: number): Promise<void> => {
    await clock.wait(ms);
    await now();
  };
  slowDatabase(own.pool, {
    async afterMove() {
      const ms = broken.freezeAfterMoveMs;
      broken.freezeAfterMoveMs = 0;
      if (ms === 0) return;
      calls.met.add('frozen-after-move');
      await sleep(ms);
    },
    async ofAnswer() {
      if (broken.databaseMs > 0) await sleep(broken.databaseMs);
    },
  });
  await ensurePartitions(database.pool, clock.nowMs);
  const site = new SimulatedSite(vms, () => clock.nowMs, sleep);
  const signals = breakableSignals(createVmSignals(runtime.client, createCircuit(runtime.client)), broken);
  const real = createActivities({
    database: own,
    lookReads: own,
    upkeep: own,
    looks: createLookWriter(own.pool),
    probes: site.probes,
    providers: site.providers,
    temporal: breakablePort(createTemporalPort(runtime.client, signals), broken),
    settings: settingsOf(),
    log: pino({ level: 'silent' }),
    now: () => clock.nowMs + broken.clockMs,
  });
  const calls = new FaultyActivities(real, now, sleep);
  return {
    clock,
    runtime,
    site,
    database,
    link,
    calls,
    signals,
    broken,
    now,
    mendLink: async () => {
      link.mend();
      await until(async () => (await state.probe()) === null, { everyMs: 5 });
    },
    async close() {
      await own.close();
      await state.close();
      await database.close();
      await link.close();
      await test.drop();
    },
  };
}

const UNREACHABLE = { ok: false, reason: 'unreachable', message: 'simulated' } as const;

function breakableSignals(real: VmSignals, broken: { temporal: boolean }): VmSignals {
  return {
    isAway: false,
    announce: async (vm) => (broken.temporal ? UNREACHABLE : real.announce(vm)),
    lookNow: async (vm) => (broken.temporal ? UNREACHABLE : real.lookNow(vm)),
    retire: async (vmId) => (broken.temporal ? UNREACHABLE : real.retire(vmId)),
    attemptsReset: async (vmId) => (broken.temporal ? UNREACHABLE : real.attemptsReset(vmId)),
    answers: async (deadlineMs) => (broken.temporal ? UNREACHABLE : real.answers(deadlineMs)),
  };
}

function breakablePort(real: TemporalPort, broken: { temporal: boolean }): TemporalPort {
  return {
    ...real,
    async inspect(workflowIds) {
      if (broken.temporal) throw new Error('Temporal is out of reach');
      return real.inspect(workflowIds);
    },
    async countWatched(startedBeforeMs) {
      if (broken.temporal) throw new Error('Temporal is out of reach');
      return real.countWatched(startedBeforeMs);
    },
    async closedVmIds(closedAfterMs, limit) {
      if (broken.temporal) throw new Error('Temporal is out of reach');
      return real.closedVmIds(closedAfterMs, limit);
    },
  };
}
