import { EventEmitter } from 'node:events';
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { Pool } from 'pg';
import { expect, it } from 'vitest';
import { slowDatabase } from './slow-database.ts';

/** Queries of an activity, one after the other, and what was delayed after each. */
async function ask(activityType: string, ...texts: [string, unknown[]?][]): Promise<string[]> {
  const done: string[] = [];
  const pool = new EventEmitter();
  const client = { query: async (text: string, _values?: unknown[]) => void done.push(text) };
  slowDatabase(pool as unknown as Pool, {
    afterMove: async () => void done.push('(stands still)'),
    ofAnswer: async () => void done.push('(waits)'),
  });
  pool.emit('connect', client);
  await asyncLocalStorage.run({ info: { activityType } } as Context, async () => {
    for (const [text, values] of texts) await client.query(text, values);
  });
  return done;
}

it('delays the answers of a heal, but none while others would wait for its locks', async () => {
  expect(await ask('decide', ['select 1'], ['begin'], ['select 2'], ['commit'], ['select 3'])).toEqual([
    'select 1',
    '(waits)',
    'begin',
    'select 2',
    'commit',
    '(waits)',
    'select 3',
    '(waits)',
  ]);
});

it('delays no answer that several looks may wait for', async () => {
  expect(await ask('watch', ['select 1'])).toEqual(['select 1']);
});

it('stands still once an operation has moved to sent, and after no other commit', async () => {
  const move: [string, unknown[]] = ['update "operations" set "state" = $1', ['sent']];
  const told = await ask('watch', ['begin'], move, ['commit'], ['begin'], ['commit'], ['begin'], move, ['rollback']);
  expect(told.filter((what) => what.startsWith('('))).toEqual(['(stands still)']);
  expect(told.indexOf('(stands still)')).toBe(3);
});
