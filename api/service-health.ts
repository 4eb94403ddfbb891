import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { type DatabaseTrouble, troubleOf, wordsOf } from '../db/database-trouble.ts';
import type { ApiDependencies } from './dependencies.ts';

const MAX_WAIT_MS = 2_000;
/** How long a probe's answer is used: a probe costs Postgres more than most requests, and this page needs no token. */
const PROBE_STANDS_MS = 1_000;

type PartHealth = { ok: true } | { ok: false; message: string };

interface ServiceHealth {
  postgres: PartHealth;
  temporal: PartHealth;
}

/**
 * `GET /health`, without a token: 200 when Postgres answers and can store data, and Temporal answers; else 503 and what is
 * wrong. Callers at the same time share one answer: otherwise anybody could overload both without a token.
 */
export function serveHealth({ database, temporal }: Pick<ApiDependencies, 'database' | 'temporal'>): RequestHandler {
  let running: Promise<ServiceHealth> | null = null;
  let probed: Promise<DatabaseTrouble | null> | null = null;

  async function askParts(): Promise<ServiceHealth> {
    const [trouble, delivery] = await Promise.all([askPostgres(), temporal.answers(MAX_WAIT_MS)]);
    return {
      postgres: trouble === null ? { ok: true } : { ok: false, message: wordsOf(trouble) },
      temporal: delivery.ok ? delivery : { ok: false, message: 'does not answer' },
    };
  }

  /** The trouble that this process has met already, with its listening marks for example; else what a probe finds. */
  async function askPostgres(): Promise<DatabaseTrouble | null> {
    const { state } = database;
    if (state.trouble !== null) return state.trouble;
    if (probed === null) {
      probed = state.probe();
      setTimeout(() => {
        probed = null;
      }, PROBE_STANDS_MS).unref();
    }
    const late = sleep(MAX_WAIT_MS, troubleOf('not-answering'), { ref: false });
    return Promise.race([probed, late]);
  }

  return async (_request, response) => {
    running ??= askParts().finally(() => {
      running = null;
    });
    const parts = await running;
    const down = Object.entries(parts).flatMap(([name, part]) => (part.ok ? [] : [`${name}: ${part.message}`]));
    if (down.length === 0) {
      response.json({ status: 'ok', parts });
      return;
    }
    response
      .status(503)
      .set('Retry-After', '5')
      .json({ status: 'unavailable', parts, error: down.join('; ') });
  };
}
