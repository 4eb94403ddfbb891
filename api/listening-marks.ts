import { databaseTrouble } from '../db/database-trouble.ts';
import { MARK_EVERY_MS, markListening } from '../db/reports/listening.ts';
import type { ApiDependencies } from './dependencies.ts';
import { toLoggedError } from './request-log.ts';

/** After a mark that failed: shorter, so that `GET /health` soon shows that the database works again. */
const RETRY_EVERY_MS = 2_000;
const MARKS = 'listening marks';

/**
 * Marks every 10 s that reports can be received, from now until stopped. A mark that fails is left out, because then no report
 * could be stored either. The outcome of each goes to the database's state, which `GET /health` reads.
 */
export function startListeningMarks({
  database,
  clock,
  logger,
}: Pick<ApiDependencies, 'database' | 'clock' | 'logger'>): { stop(): Promise<void> } {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let marking = mark();

  async function mark(): Promise<void> {
    const isStored = await storeMark();
    if (isStopped) return;
    timer = setTimeout(
      () => {
        marking = mark();
      },
      isStored ? MARK_EVERY_MS : RETRY_EVERY_MS,
    );
  }

  async function storeMark(): Promise<boolean> {
    try {
      await markListening(database, clock());
      database.state.note(MARKS, null);
      return true;
    } catch (error) {
      const trouble = databaseTrouble(error);
      if (trouble === null) logger.error({ err: toLoggedError(error) }, 'listening could not be marked');
      else database.state.note(MARKS, trouble, error);
      return false;
    }
  }

  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await marking;
    },
  };
}
