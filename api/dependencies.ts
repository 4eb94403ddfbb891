import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { JsonObject } from '../domain/json-value.ts';
import type { ProviderCall, ProviderCallAnswer } from '../domain/provider-call.ts';
import type { Settings } from '../domain/settings.ts';
import type { VmSignals } from '../temporal/vm-signals.ts';

/** What the API is made of. Tests put other clocks, loggers and rules here; the database is always a real one. */
export interface ApiDependencies {
  database: Database;
  temporal: VmSignals;
  settings: Settings;
  checks: CheckRules;
  providers: ProviderCalls;
  /** Epoch ms. */
  clock: () => number;
  logger: Logger;
}

/** Providers, as the API asks them. */
export interface ProviderCalls {
  /** Makes a call from where the instance is reached: here, when that is this process's own site. */
  call(site: string, call: ProviderCall): Promise<ProviderCallAnswer>;
  /** @throws AppError `unavailable` when this process has no key. */
  sealCredentials(credentials: unknown): string;
}

/** A check as a user sets it. */
export interface CheckSubject {
  checkType: string;
  target: string | null;
  options: JsonObject;
  /** Of the VM. */
  address: string | null;
}

/** The rules of the checks room, each problem a full sentence. */
export interface CheckRules {
  /** What is wrong with its target or options. */
  validate(check: CheckSubject): string[];
  /** Why it may not connect where it would (link-local, Defib's own ports, loopback, other hosts). */
  refuseTarget(check: CheckSubject): string[] | Promise<string[]>;
}
