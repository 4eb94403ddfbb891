import { addToCount } from '../../db/upkeep/counts.ts';
import type { Dependencies } from '../dependencies.ts';
import type { UnstoredResults } from './unstored-results.ts';

/**
 * Adds what this process had to let go to the count of all processes, which `GET /metrics` shows. Call it whenever a look was
 * stored, because then Postgres is back. Never rejects.
 */
export function createCountLetGo(
  { database, log, now }: Pick<Dependencies, 'database' | 'log' | 'now'>,
  unstored: UnstoredResults,
): () => Promise<void> {
  let counted = 0;
  let counting = false;
  return async () => {
    const { letGo } = unstored;
    if (counting || letGo === counted) return;
    counting = true;
    try {
      await addToCount(database.pool, 'results.let-go', letGo - counted, now());
      log.warn({ results: letGo - counted }, 'results were let go: more than could be kept while Postgres was away');
      counted = letGo;
    } catch (error) {
      // it is counted with the next look that is stored
      log.debug({ err: error }, 'results that were let go could not be counted');
    } finally {
      counting = false;
    }
  };
}
