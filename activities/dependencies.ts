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

/** What activities send to workflows and ask of Temporal. A workflow that isn't there is no error. */
export interface TemporalPort {
  /** Sends the version of a VM's settings to its workflow, starting it where it isn't there; false when that was not delivered. */
  announce(vm: { vmId: string; tenantId: string; site: string; version: number }): Promise<boolean>;
  /** Ends the VM's workflow; false when that was not delivered. */
  retire(vmId: string): Promise<boolean>;
  healEnded(vmId: string, incident: number): Promise<void>;
  isRunning(workflowId: string): Promise<boolean>;
  /** Those of the workflows that run but can't go on, because their tasks fail again and again. */
  findStuck(workflowIds: readonly string[]): Promise<string[]>;
  /** How many VMs have a workflow started before that time. */
  countWatched(startedBeforeMs: number): Promise<number>;
  /** Those VMs, in pages. */
  watchedVmIds(startedBeforeMs: number): AsyncIterable<string[]>;
}
