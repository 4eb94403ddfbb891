import type { Logger } from 'pino';
import { toLoggedError } from '../api/request-log.ts';
import { createDatabaseState, type DatabaseState } from '../db/database-state.ts';
import { wordsOf } from '../db/database-trouble.ts';

const states = new Map<string, DatabaseState>();

/**
 * What this process knows of a database: one for the API and the worker that run in it, so that trouble is logged once when it
 * begins and once when it is over.
 */
export function sharedDatabaseState(databaseUrl: string, log: Logger): DatabaseState {
  const known = states.get(databaseUrl);
  if (known !== undefined) return known;
  const state = createDatabaseState(databaseUrl, {
    began(trouble, error) {
      const err = error == null ? {} : { err: toLoggedError(error) };
      log.error({ reason: trouble.reason, ...err }, `Postgres: ${wordsOf(trouble)}. Looks go on, heals hold`);
    },
    over() {
      log.warn('Postgres works again');
    },
  });
  states.set(databaseUrl, state);
  return state;
}
