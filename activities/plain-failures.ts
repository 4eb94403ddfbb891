import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { databaseTrouble } from '../db/database-trouble.ts';

type Activity = (...args: never[]) => Promise<unknown>;

/**
 * Makes unexpected errors fit for Temporal's histories: drivers put whole statements with their values into messages and
 * stacks. What is left is the database's own sentence and its code; expected failures pass as they are. That the database is away
 * is logged when it begins, not with every try (BENIGN).
 */
export function withPlainFailures<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw plain(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

function plain(error: unknown): unknown {
  const away = databaseTrouble(error);
  if (away !== null) {
    const { message, reason } = away;
    return ApplicationFailure.create({
      message,
      type: `Postgres-${reason}`,
      category: ApplicationFailureCategory.BENIGN,
    });
  }
  if (!(error instanceof Error) || !('query' in error)) return error;
  const cause = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  // class 22, data exceptions, quote the value itself; the others name tables and columns
  const message =
    cause instanceof Error && !code.startsWith('22') ? cause.message : `a value was not accepted (${code})`;
  return ApplicationFailure.create({ message: `database: ${message}`, type: `Postgres-${code}` });
}
