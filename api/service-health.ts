import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { troubleOf, wordsOf } from '../db/database-trouble.ts';
import type { ApiDependencies } from './dependencies.ts';

const MAX_WAIT_MS = 2_000;
/** So long after it was given nobody asks again. */
const FRESH_MS = 1_000;
/** So long it is answered at once, while it is asked again. */
const STANDS_MS = 3_000;

type PartHealth = { ok: true } | { ok: false; message: string };

/**
 * `GET /health`, without a token: 200 when Postgres answers and can store data, and Temporal answers; else 503 and what is
 * wrong. A trouble that this process has met already is told at once; for the rest an answer may be up to 3 s old, so that
 * nobody without a token can have Postgres and Temporal asked as often as he likes, nor waits for them.
 */
export function serveHealth({ database, temporal }: Pick<ApiDependencies, 'database' | 'temporal'>): RequestHandler {
  const { state } = database;
  const askPostgres = remembered(() => {
    const late = sleep(MAX_WAIT_MS, troubleOf('not-answering'), { ref: false });
    return Promise.race([state.probe(), late]);
  });
  const askTemporal = remembered(async () => (await temporal.answers(MAX_WAIT_MS)).ok);

  async function askParts(): Promise<Record<'postgres' | 'temporal', PartHealth>> {
    const [trouble, answers] = await Promise.all([state.trouble ?? askPostgres(), !temporal.isAway && askTemporal()]);
    return {
      postgres: trouble === null ? { ok: true } : { ok: false, message: wordsOf(trouble) },
      temporal: answers ? { ok: true } : { ok: false, message: 'does not answer' },
    };
  }

  return async (_request, response) => {
    const parts = await askParts();
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

/** The last answer while it stands, asked again as needed; callers at the same time share one. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { answer: T; atMs: number } | null = null;
  let running: Promise<T> | null = null;

  async function askNow(): Promise<T> {
    const answer = await ask();
    last = { answer, atMs: performance.now() };
    return answer;
  }

  return async () => {
    const age = last === null ? Number.POSITIVE_INFINITY : performance.now() - last.atMs;
    if (last !== null && age < FRESH_MS) return last.answer;
    running ??= askNow().finally(() => {
      running = null;
    });
    if (last === null || age >= STANDS_MS) return running;
    running.catch(() => undefined);
    return last.answer;
  };
}
