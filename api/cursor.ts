import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';

/** How a list is sorted: what the place of a row is made of, and how it is read back. */
export interface Order<Row, Place> {
  keysOf: (row: Row) => readonly (string | number)[];
  place: z.ZodType<Place>;
}

/** An order by a single key. */
export function byKey<Row, Key extends string | number>(
  key: z.ZodType<Key>,
  keyOf: (row: Row) => Key,
): Order<Row, Key> {
  return { keysOf: (row) => [keyOf(row)], place: z.tuple([key]).transform(([only]) => only) };
}

/** Ids are UUIDv7: the oldest first. */
export const BY_ID = byKey(z.uuid(), ({ id }: { id: string }) => id);

/** Rows of unequal weight are read so many at once, until they weigh enough for a page. */
const BATCH = 200;
const MAX_WEIGHT = 5_000;

/**
 * A page of a list, and the cursor of the next one; null at the end. `find` is asked for the rows after a place, or the
 * first ones, and for one row more than the page holds, which tells whether there is a next page. With `weightOf` a page of heavy
 * rows ends before its limit.
 * @throws AppError `bad-request` when the cursor is none of this list's.
 */
export async function readPage<Row, Place>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  order: Order<Row, Place>,
  find: (after: Place | null, limit: number) => Promise<Row[]>,
  weightOf?: (row: Row) => number,
): Promise<{ page: Row[]; nextCursor: string | null }> {
  const batch = weightOf === undefined ? limit + 1 : BATCH;
  const rows: Row[] = [];
  let after = cursor === undefined ? null : fromCursor(cursor, order.place);
  let weight = 0;
  let isEnd = false;
  while (!isEnd && rows.length <= limit && weight < MAX_WEIGHT) {
    const wanted = Math.min(limit + 1 - rows.length, batch);
    const found = await find(after, wanted);
    isEnd = found.length < wanted;
    for (const row of found) weight += weightOf?.(row) ?? 0;
    rows.push(...found);
    const reached = found.at(-1);
    if (reached !== undefined) after = order.place.parse(order.keysOf(reached));
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: isEnd || last === undefined ? null : toCursor(order.keysOf(last)) };
}

/** Where a page ended, opaque to callers. */
function toCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

function fromCursor<Place>(cursor: string, place: z.ZodType<Place>): Place {
  const parsed = place.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (parsed.success) return parsed.data;
  const message = 'is not a cursor of this list; send the nextCursor of the page before';
  throw new AppError('bad-request', `cursor: ${message}`, { problems: [{ path: 'cursor', message }] });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
