import { Pool } from 'undici';
import type { World } from './world.ts';

export interface ApiClient {
  /** Throws what the API objects to. Resolves when the whole answer has been read and parsed. */
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>;
  close(): Promise<void>;
}

/** One client with one connection that stays open. */
export function createApiClient({ apiUrl, adminToken }: World): ApiClient {
  const pool = new Pool(apiUrl, { connections: 1 });
  return {
    async call(method, path, body) {
      const response = await pool.request({
        method,
        path,
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: 30_000,
        bodyTimeout: 30_000,
      });
      const text = await response.body.text();
      if (response.statusCode >= 300)
        throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 500)}`);
      return JSON.parse(text);
    },
    close: () => pool.close(),
  };
}
