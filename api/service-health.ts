import { setTimeout } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import type { ApiDependencies } from './dependencies.ts';

const MAX_WAIT_MS = 2_000;

type PartHealth = { ok: true } | { ok: false; message: string };

interface ServiceHealth {
  postgres: PartHealth;
  temporal: PartHealth;
}

/**
 * `GET /health`, without a token: 200 when Postgres and Temporal answer, else 503 and which of them doesn't. Callers at the
 * same time share one answer: whoever is let in without a token could keep both busy otherwise.
 */
export function serveHealth({ database, temporal }: Pick<ApiDependencies, 'database' | 'temporal'>): RequestHandler {
  let running: Promise<ServiceHealth> | null = null;

  async function askParts(): Promise<ServiceHealth> {
    const [postgres, delivery] = await Promise.all([
      withinMaxWait(database.pool.query('SELECT 1')),
      temporal.answers(MAX_WAIT_MS),
    ]);
    return { postgres, temporal: delivery.ok ? delivery : { ok: false, message: 'does not answer' } };
  }

  return async (_request, response) => {
    running ??= askParts().finally(() => {
      running = null;
    });
    const parts = await running;
    const down = Object.entries(parts).flatMap(([name, part]) => (part.ok ? [] : [name]));
    if (down.length === 0) {
      response.json({ status: 'ok', parts });
      return;
    }
    const error = `${down.join(' and ')} ${down.length > 1 ? 'do' : 'does'} not answer`;
    response.status(503).set('Retry-After', '5').json({ status: 'unavailable', parts, error });
  };
}

/** Why the query failed stays in the log of whoever runs the database: this page is open to everyone. */
async function withinMaxWait(query: Promise<unknown>): Promise<PartHealth> {
  const answer = query.then(
    (): PartHealth => ({ ok: true }),
    (): PartHealth => ({ ok: false, message: 'does not answer' }),
  );
  const late: PartHealth = { ok: false, message: 'does not answer in time' };
  return Promise.race([answer, setTimeout(MAX_WAIT_MS, late, { ref: false })]);
}
