import { isDatabaseAway } from '../db/database.ts';
import { MARK_EVERY_MS, markListening } from '../db/reports/listening.ts';
import type { ApiDependencies } from './dependencies.ts';
import { toLoggedError } from './request-log.ts';

/**
 * Marks every 10 s that reports can be received, from now until stopped. A mark that fails is a mark missed: then reports
 * couldn't have been stored either.
 */
export function startListeningMarks({
  database,
  clock,
  logger,
}: Pick<ApiDependencies, 'database' | 'clock' | 'logger'>): { stop(): Promise<void> } {
  let marking: Promise<void> = Promise.resolve();

  function mark(): void {
    // one after the other: a slow database would otherwise get a queue of them
    marking = marking
      .then(() => markListening(database, clock()))
      .catch((error: unknown) => {
        if (!isDatabaseAway(error)) logger.error({ err: toLoggedError(error) }, 'listening could not be marked');
      });
  }

  mark();
  const timer = setInterval(mark, MARK_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await marking;
    },
  };
}
