const PAGE = 500;

/**
 * All rows of a query, in pages. `find` answers at most `limit` rows in the order of their keys, after the given key (null =
 * from the first).
 */
export async function* pagesOf<Row, Key>(
  find: (after: Key | null, limit: number) => Promise<Row[]>,
  keyOf: (row: Row) => Key,
  limit = PAGE,
): AsyncGenerator<Row[]> {
  let after: Key | null = null;
  for (;;) {
    const page: Row[] = await find(after, limit);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < limit) return;
    after = keyOf(last);
  }
}
