import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';

/** Where a page ended, opaque to callers. */
export function toCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws AppError `bad-request` when it is none of ours. */
export function fromCursor<Position>(cursor: string | undefined, shape: z.ZodType<Position>): Position | null {
  if (cursor === undefined) return null;
  const parsed = shape.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (parsed.success) return parsed.data;
  const message = 'is not a cursor of this list; send the nextCursor of the page before';
  throw new AppError('bad-request', `cursor: ${message}`, { problems: [{ path: 'cursor', message }] });
}

/** `rows` was asked for with one more than `limit`: whether it came says whether there is a next page. */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => readonly (string | number)[],
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last !== undefined ? toCursor(positionOf(last)) : null };
}

export const idPosition = z.tuple([z.uuid()]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
