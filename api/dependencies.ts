import type { Logger } from 'pino';
import type { CheckRules } from '../checks/check.ts';
import type { Database } from '../db/database.ts';
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
