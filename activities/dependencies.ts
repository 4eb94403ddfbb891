import type { Logger } from 'pino';
import type { Probe } from '../checks/check.ts';
import type { Database } from '../db/database.ts';
import type { LookWriter } from '../db/looks/look-writer.ts';
import type { Settings } from '../domain/settings.ts';
import type { Providers } from '../providers/providers.ts';

/** The world, as activities reach it. Created once per process; tests put fakes at these edges only. */
export interface Dependencies {
  /** For decisions and what is recorded of them. */
  database: Database;
  /** The same, for what looks read: within limits that let them go on soon, whatever Postgres does. */
  lookReads: Database;
  /** The same, for what may take long. */
  upkeep: Database;
  looks: LookWriter;
  /** By type of check. */
  probes: ReadonlyMap<string, Probe>;
  providers: Providers;
  temporal: TemporalPort;
  settings: Settings;
  log: Logger;
  /** Epoch ms. */
  now(): number;
}

/** What Temporal says of a workflow. */
export interface InspectedWorkflow {
  workflowId: string;
  isRunning: boolean;
  /** Whether it runs and does nothing now: no task and no activity is under way. */
  isIdle: boolean;
  /** Whether its tasks, or an activity of it, fail again and again, so that it can't go on. */
  failsTasks: boolean;
  /** The health of its VM as the workflow knows it, or `paused`; null = none yet, or it is not a VM's workflow. */
  vmStatus: string | null;
}

/** What activities send to workflows and ask of Temporal. A workflow that isn't there is no error. */
export interface TemporalPort {
  /** Sends the version of a VM's settings to its workflow, starting it where it isn't there; false when that was not delivered. */
  announce(vm: { vmId: string; tenantId: string; site: string; name?: string; version: number }): Promise<boolean>;
  /** Ends the VM's workflow; false when that was not delivered. */
  retire(vmId: string): Promise<boolean>;
  healEnded(vmId: string, incident: number): Promise<void>;
  /** What Temporal says of each of these workflows, in their order. */
  inspect(workflowIds: readonly string[]): Promise<InspectedWorkflow[]>;
  /** How many VMs have a workflow started before that time. */
  countWatched(startedBeforeMs: number): Promise<number>;
  /** Those VMs, in pages. */
  watchedVmIds(startedBeforeMs: number): AsyncIterable<string[]>;
  /** The VMs whose workflow was closed after that time, other than to go on as a new run: at most so many, the latest first. */
  closedVmIds(closedAfterMs: number, limit: number): Promise<string[]>;
}
