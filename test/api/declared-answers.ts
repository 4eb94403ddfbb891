import { expect } from 'vitest';
import type { Endpoint } from '../../api/endpoint.ts';

/** Holds answers against what their endpoints declare: the status, every field of its schema, and no field besides. */
export function createAnswerCheck(
  endpoints: readonly Endpoint[],
): (method: string, path: string, reply: Reply) => void {
  const routes = endpoints.map(({ method, path, answers }) => ({
    pattern: new RegExp(`^${method} ${path.replaceAll(/:\w+/g, '[^/]+')}$`, 'i'),
    answers,
  }));
  return (method, path, { status, body }) => {
    const called = `${method} ${path.split('?', 1)[0]}`;
    const answers = routes.find(({ pattern }) => pattern.test(called))?.answers;
    if (answers === undefined || status >= 400) return;
    expect(Object.keys(answers), called).toContain(String(status));
    const { schema } = answers[status] ?? {};
    if (schema) expect(body, called).toEqual(schema.parse(body));
    expect(fieldsInEpochMs(body), `${called}: times are ISO 8601`).toEqual([]);
  };
}

/** Fields of an answer that hold a time of these years as a number. Labels and measurements are their senders'. */
function fieldsInEpochMs(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return value > 1.6e12 && value < 2.2e12 ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, held]) => fieldsInEpochMs(held, `${path}.${name}`));
}

interface Reply {
  status: number;
  body: unknown;
}
