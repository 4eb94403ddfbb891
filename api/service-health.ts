import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { troubleOf, wordsOf } from '../db/database-trouble.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Answers, Described } from './endpoint.ts';

const MAX_WAIT_MS = 2_000;
/** So long after it was given nobody asks again. */
const FRESH_MS = 1_000;
/** So long it is answered at once, while it is asked again. */
const STANDS_MS = 3_000;

const partHealth = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
const parts = z.object({ postgres: partHealth, temporal: partHealth });
const goodAnswer = z.object({ status: z.literal('ok'), parts });
const badAnswer = z.object({ status: z.literal('unavailable'), parts, error: z.string() });

/** How `GET /health` is described. It stands beside the endpoints, because nobody signs in for it. */
export const serviceHealth = {
  id: 'readServiceHealth',
  method: 'get',
  path: '/health',
  tag: 'Operation',
  summary: 'Whether Postgres and Temporal answer; without a token',
  roles: [],
  answers: {
    200: {
      description: 'Both do',
      schema: goodAnswer,
      example: { status: 'ok', parts: { postgres: { ok: true }, temporal: { ok: true } } },
    },
    503: {
      description: 'Which of them does not',
      schema: badAnswer,
      example: {
        status: 'unavailable',
        parts: { postgres: { ok: true }, temporal: { ok: false, message: 'does not answer' } },
        error: 'temporal: does not answer',
      },
    },
  },
} satisfies Described<Answers>;

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

  async function askParts(): Promise<z.infer<typeof parts>> {
    const [trouble, answers] = await Promise.all([state.trouble ?? askPostgres(), !temporal.isAway && askTemporal()]);
    return {
      postgres: trouble === null ? { ok: true } : { ok: false, message: wordsOf(trouble) },
      temporal: answers ? { ok: true } : { ok: false, message: 'does not answer' },
    };
  }

  return async (_request, response) => {
    const asked = await askParts();
    const down = Object.entries(asked).flatMap(([name, part]) => (part.ok ? [] : [`${name}: ${part.message}`]));
    if (down.length === 0) {
      response.json({ status: 'ok', parts: asked } satisfies z.input<typeof goodAnswer>);
      return;
    }
    const body: z.input<typeof badAnswer> = { status: 'unavailable', parts: asked, error: down.join('; ') };
    response.status(503).set('Retry-After', '5').json(body);
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
