import { DrizzleQueryError } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { toLoggedError } from '../../api/request-log.ts';

it('an error of a statement is logged without the values that it was sent with', () => {
  const cause = Object.assign(new Error('duplicate key'), { code: '23505' });
  const logged = JSON.stringify(toLoggedError(new DrizzleQueryError('INSERT INTO t VALUES ($1)', ['a-s3cret'], cause)));
  expect(logged).toContain('INSERT INTO t VALUES ($1)');
  expect(logged).toContain('23505');
  expect(logged).not.toContain('a-s3cret');
});
