import type { RequestHandler } from 'express';
import type { ApiDependencies } from './dependencies.ts';

const LIMIT_MS = 2_000;

type PartHealth = { ok: true } | { ok: false; message: string };

interface ServiceHealth {
  postgres: PartHealth;
  temporal: PartHealth;
}

/**
 * `GET /health`, without a token: 200 when Postgres and Temporal answer, else 503 and which of them doesn't. Callers at the
 * same time share one look.
 */
export function serveHealth({ database, temporal }: Pick<ApiDependencies, 'database' | 'temporal'>): RequestHandler {
  let running: Promise<ServiceHealth> | null = null;

  async function look(): Promise<ServiceHealth> {
    const [postgres, temporalHealth] = await Promise.all([
      withinLimit(database.pool.query('SELECT 1')),
      temporal
        .answers(LIMIT_MS)
        .then((told): PartHealth => (told.ok ? told : { ok: false, message: 'does not answer' })),
    ]);
    return { postgres, temporal: temporalHealth };
  }

  return async (_request, response) => {
    running ??= look().finally(() => {
      running = null;
    });
    const parts = await running;
    const down = Object.entries(parts).flatMap(([name, part]) => (part.ok ? [] : [name]));
    const verb = down.length > 1 ? 'do' : 'does';
    const status = down.length === 0 ? { status: 'ok' } : { status: 'unavailable' };
    const error = down.length === 0 ? {} : { error: `${down.join(' and ')} ${verb} not answer` };
    if (down.length > 0) response.set('Retry-After', '5');
    response.status(down.length === 0 ? 200 : 503).json({ ...status, parts, ...error });
  };
}

/** What went wrong stays in the log of whoever runs it: this page is open to everyone. */
async function withinLimit(query: Promise<unknown>): Promise<PartHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<PartHealth>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, message: 'does not answer in time' }), LIMIT_MS);
  });
  const answer = query.then(
    (): PartHealth => ({ ok: true }),
    (): PartHealth => ({ ok: false, message: 'does not answer' }),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
