import type { Pool, PoolClient } from 'pg';

/**
 * Calls `freeze` when Postgres has committed the move of an operation to `sent`, and before whoever made it hears of that: as if
 * its process stood still with the answer on the way.
 */
export function freezeAfterMove(pool: Pool, freeze: () => Promise<void>): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let isMove = false;
    Object.assign(client, {
      query(...args: [string | { text: string; values?: unknown[] }, unknown[]?]) {
        const [given, more] = args;
        const { text, values = more } = typeof given === 'string' ? { text: given, values: more } : given;
        if (/^begin/i.test(text)) isMove = false;
        if (text.startsWith('update "operations"') && values?.[0] === 'sent') isMove = true;
        const answer = query(...args);
        if (!isMove || !/^commit$/i.test(text) || !(answer instanceof Promise)) return answer;
        isMove = false;
        return answer.then(async (result: unknown) => {
          await freeze();
          return result;
        });
      },
    });
  });
}
