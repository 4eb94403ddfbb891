import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import type { Activities } from '../../../activities/contract.ts';
import { createActivities } from '../../../activities/create-activities.ts';
import { noticeFleet } from '../../../activities/fleet-notices.ts';
import { createEgress } from '../../../checks/egress.ts';
import { createProbes } from '../../../checks/registry.ts';
import { type Database, openDatabase } from '../../../db/database.ts';
import { createLookWriter } from '../../../db/looks/look-writer.ts';
import { ensurePartitions } from '../../../db/upkeep/partitions.ts';
import { createCircuit } from '../../../temporal/circuit.ts';
import { createTemporalPort } from '../../../temporal/temporal-port.ts';
import { createVmSignals } from '../../../temporal/vm-signals.ts';
import { type BreakableLink, breakableLink } from '../../db/breakable-link.ts';
import { setDatabaseTime } from '../../support/database-time.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { settingsOf } from '../../support/settings.ts';
import { FakeSite } from './fake-site.ts';

/** The real activities and a real database of one scenario, on fakes at the edges and in virtual time. */
export interface ScenarioWorld {
  site: FakeSite;
  /** How scripts read and change what is stored; not through the link. */
  database: Database;
  /** Defib's own way to Postgres. */
  link: BreakableLink;
  activities: Activities;
  /** Opens and closes the notices about the fleet, as reconcile does each minute. */
  noticeFleet(): Promise<void>;
  /** Looks that are lost with their worker before they begin. */
  lostLooks: number;
  /** Nobody does this site's looks. */
  unmanned: boolean;
  close(): Promise<void>;
}

/** Creates a world that begins at the present time of this environment. */
export async function createScenarioWorld(env: TestWorkflowEnvironment): Promise<ScenarioWorld> {
  let nowMs = await env.currentTimeMs();
  const now = (): number => nowMs;
  const test = await createTestDatabase();
  const link = await breakableLink(test.url);
  const own = openDatabase(link.url, { applicationName: 'scenario' });
  const database = openDatabase(test.url, { applicationName: 'script' });
  await ensurePartitions(database.pool, nowMs);
  const site = new FakeSite(now, async (ms) => {
    await env.sleep(ms);
    nowMs = Math.max(nowMs, await env.currentTimeMs());
  });
  const egress = createEgress({ allow: [], ownPorts: new Set() });
  const log = pino({ level: 'silent' });
  const activities = createActivities({
    database: own,
    lookReads: own,
    upkeep: own,
    looks: createLookWriter(own.pool),
    probes: new Map([
      ...createProbes({ egress }),
      ['http', site.http],
      ['ping', site.ping],
      ['certificate', site.certificate],
    ]),
    providers: site.providers,
    temporal: createTemporalPort(env.client, createVmSignals(env.client, createCircuit(env.client))),
    settings: settingsOf(),
    log,
    now,
  });
  /** Time stands still while an activity works: it is read from the server when it begins. */
  const timed = Object.fromEntries(
    Object.entries(activities as unknown as Record<string, (input: never) => Promise<unknown>>).map(([name, act]) => [
      name,
      async (input: never) => {
        nowMs = Math.max(nowMs, await env.currentTimeMs());
        await setDatabaseTime(database.pool, nowMs);
        return act(input);
      },
    ]),
  ) as unknown as Activities;
  return {
    site,
    database,
    link,
    activities: timed,
    async noticeFleet() {
      nowMs = Math.max(nowMs, await env.currentTimeMs());
      await noticeFleet({ database, log, now });
    },
    lostLooks: 0,
    unmanned: false,
    async close() {
      await own.close();
      await database.close();
      await link.close();
      await test.drop();
    },
  };
}
