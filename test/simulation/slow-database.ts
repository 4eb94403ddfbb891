import { asyncLocalStorage } from '@temporalio/activity';
import type { Pool, PoolClient } from 'pg';

/** What becomes of an answer of Postgres that is on its way. */
export interface Delays {
  /** Of the commit by which an operation moved to `sent`: as if whoever made it stood still. */
  afterMove(): Promise<void>;
  /** Of each statement of a heal's activities while no transaction is open, so that others get between two of them. */
  ofAnswer(): Promise<void>;
}

/** Their statements serve nobody else; those of looks are shared, and virtual time stands still for whoever waits for them. */
const SLOWED: ReadonlySet<string> = new Set([
  'storePause',
  'openIncident',
  'askProvider',
  'decide',
  'carryOut',
  'readBack',
  'resolveOperation',
  'verify',
]);

/** Delays answers on the connections of a pool. Never within a transaction: others would wait for its locks meanwhile. */
export function slowDatabase(pool: Pool, delays: Delays): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let isOpen = false;
    let isMove = false;
    Object.assign(client, {
      query(...args: [string | { text: string; values?: unknown[] }, unknown[]?]) {
        const [given, more] = args;
        const { text, values = more } = typeof given === 'string' ? { text: given, values: more } : given;
        if (/^begin/i.test(text)) [isOpen, isMove] = [true, false];
        if (/^(commit|rollback)$/i.test(text)) isOpen = false;
        if (text.startsWith('update "operations"') && values?.[0] === 'sent') isMove = true;
        const answer = query(...args);
        if (isOpen || !(answer instanceof Promise)) return answer;
        const moved = isMove && /^commit$/i.test(text);
        isMove = false;
        return answer.then(async (result: unknown) => {
          if (moved) await delays.afterMove();
          if (SLOWED.has(asyncLocalStorage.getStore()?.info.activityType ?? '')) await delays.ofAnswer();
          return result;
        });
      },
    });
  });
}
