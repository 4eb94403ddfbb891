import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requirePostgres, requireTemporal } from '../../local/given-servers.ts';
import { findFreePort } from '../../local/ports.ts';
import { StartError } from '../../local/start-error.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';

/** What a person reads: one line, and nothing of what `secret` must not show. */
async function refusalOf(asked: Promise<void>, secret?: string): Promise<string> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StartError);
  const { message } = error as StartError;
  expect(message).not.toContain('\n');
  if (secret) expect(message).not.toContain(secret);
  return message;
}

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
    expect(await refusalOf(requirePostgres(like({ host: nobody })), password)).toMatch(/ECONNREFUSED/);
    expect(await refusalOf(requirePostgres(like({ pathname: '/no_such' })), password)).toMatch(
      /"no_such" does not exist/,
    );
    expect(await refusalOf(requirePostgres(like({ password: 'wrong-one' })), 'wrong-one')).toMatch(/password/);
  });
});

describeNeeding(['temporal'], 'a Temporal that TEMPORAL_ADDRESS names', () => {
  let temporal: OwnTemporal;
  beforeAll(async () => {
    temporal = await startOwnTemporal();
  }, 60_000);
  afterAll(() => temporal?.stop());

  it('is taken when it serves the namespace', async () => {
    await requireTemporal(temporal.address, 'default');
  });

  it('is refused when it lacks the namespace, with the command that makes it', async () => {
    const refused = await refusalOf(requireTemporal(temporal.address, 'elsewhere'));
    expect(refused).toMatch(/has no namespace "elsewhere": temporal operator namespace create -n elsewhere$/);
  });

  it('is refused when nobody answers there', async () => {
    const address = `127.0.0.1:${await findFreePort()}`;
    expect(await refusalOf(requireTemporal(address, 'default'))).toContain(`(${address}) does not answer.`);
  });
});
