import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { findListening, markListening } from '../../db/reports/listening.ts';
import { openTestDatabase } from '../support/postgres.ts';

const { database, close } = await openTestDatabase();
afterAll(close);

describe('When Defib could listen', () => {
  beforeEach(async () => {
    await database.pool.query('DELETE FROM listening_spans');
  });

  const start = Date.UTC(2026, 10, 22);
  const mark = (...seconds: number[]) =>
    seconds.reduce<Promise<void>>(
      (before, second) => before.then(() => markListening(database, start + second * 1000)),
      Promise.resolve(),
    );
  const spans = async (nowSeconds: number) =>
    (await findListening(database.pool, start + nowSeconds * 1000)).map(({ fromMs, untilMs }) => [
      (fromMs - start) / 1000,
      (untilMs - start) / 1000,
    ]);

  it('is one stretch while marks come, a missed one included', async () => {
    await mark(0, 10, 20, 45);
    expect(await spans(45)).toEqual([[0, 45]]);
  });

  it('is another stretch after a gap', async () => {
    await mark(0, 10, 36, 46);
    expect(await spans(46)).toEqual([
      [0, 10],
      [36, 46],
    ]);
  });

  it('reaches to now while the newest mark is fresh', async () => {
    await mark(0, 10);
    expect(await spans(25)).toEqual([[0, 25]]);
    expect(await spans(26)).toEqual([[0, 10]]);
  });

  it('takes overlapping stretches of several processes as one, and never shrinks', async () => {
    await mark(0, 10);
    const another = [new Date(start + 5_000), new Date(start + 15_000)];
    await database.pool.query('INSERT INTO listening_spans VALUES ($1, $2)', another);
    await mark(20, 19);
    expect(await spans(200)).toEqual([[0, 20]]);
  });

  it('forgets what is too old to matter', async () => {
    await mark(0);
    await mark(9 * 86_400);
    expect((await database.pool.query('SELECT * FROM listening_spans')).rowCount).toBe(1);
    expect(await spans(9 * 86_400)).toEqual([[9 * 86_400, 9 * 86_400]]);
  });

  it('knows nothing before the first mark', async () => {
    expect(await spans(0)).toEqual([]);
  });
});
