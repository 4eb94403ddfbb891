import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../local/ports.ts';
import { requirePostgres } from '../../workers/require-postgres.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { refusalOf } from '../support/refusal.ts';

describe('a Postgres that DATABASE_URL names', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test?.drop());

  const like = (change: Partial<Pick<URL, 'host' | 'pathname' | 'password'>>) =>
    Object.assign(new URL(test.url), change).href;

  it('is taken when it answers', async () => {
    await requirePostgres(test.url);
  });

  it('is refused with the reason and without its password', async () => {
    const { password } = new URL(test.url);
    const nobody = `127.0.0.1:${await findFreePort()}`;
    expect(await refusalOf(requirePostgres(like({ host: nobody })), password)).toBe(
      `The Postgres that DATABASE_URL names (${nobody}) can't be used: nothing listens there (ECONNREFUSED).`,
    );
    expect(await refusalOf(requirePostgres(like({ pathname: '/no_such' })), password)).toMatch(
      /"no_such" does not exist/,
    );
    expect(await refusalOf(requirePostgres(like({ password: 'wrong-one' })), 'wrong-one')).toMatch(/password/);
  });

  it('is refused when its host is not known', async () => {
    expect(await refusalOf(requirePostgres(like({ host: 'no-such-host.invalid:5432' })))).toMatch(
      /\(no-such-host\.invalid:5432\) can't be used: (there is no host of that name \(ENOTFOUND\)|the name .* \(EAI_AGAIN\))\.$/,
    );
  });
});
