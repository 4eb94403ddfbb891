import type { z } from 'zod';

const ANSWERS_WITHIN_MS = 30_000;

/** The REST API as a client sees it: answers are read by the schemas that the API publishes. */
export interface Rest {
  get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>>;
  post<T extends z.ZodType>(path: string, body: unknown, schema: T): Promise<{ status: number; body: z.output<T> }>;
  /** The answer as it is. */
  raw(path: string): Promise<{ status: number; text: string }>;
}

/** A client with a token. Every call throws on 4xx and 5xx, with what the API said. */
export function createRest(url: string, token: string): Rest {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  async function call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const answer = await fetch(`${url}${path}`, { method, headers, ...sent, signal });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${text.slice(0, 1_000)}`);
    return { status: answer.status, text };
  }

  return {
    get: async (path, schema) => schema.parse(JSON.parse((await call('GET', path)).text)),
    async post(path, body, schema) {
      const { status, text } = await call('POST', path, body);
      return { status, body: schema.parse(JSON.parse(text)) };
    },
    raw: (path) => call('GET', path),
  };
}
