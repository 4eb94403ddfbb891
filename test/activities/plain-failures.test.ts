import { ApplicationFailure } from '@temporalio/common';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { withPlainFailures } from '../../activities/plain-failures.ts';
import { openTestDatabase } from '../support/postgres.ts';

it('keeps statements and their values out of what Temporal is told', async () => {
  const { database, close } = await openTestDatabase();
  const { ask } = withPlainFailures({
    ask: () => database.orm.execute(sql`SELECT ${'hunter2-secret'}::int`),
  });
  const failure: unknown = await ask().catch((error: unknown) => error);
  await close();
  expect(failure).toBeInstanceOf(ApplicationFailure);
  const told = JSON.stringify({ ...(failure as Error), message: (failure as Error).message });
  expect(told).toContain('Postgres-22P02');
  expect(told).not.toContain('SELECT');
  expect(told).not.toContain('hunter2');
});

it('passes failures that were meant as they are', async () => {
  const meant = ApplicationFailure.create({ type: 'Steady', message: 'healthy' });
  const { look } = withPlainFailures({ look: () => Promise.reject(meant) });
  await expect(look()).rejects.toBe(meant);
});
