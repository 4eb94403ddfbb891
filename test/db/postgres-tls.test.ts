import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { databaseTrouble } from '../../db/database-trouble.ts';
import { migrate } from '../../db/migrate.ts';
import { requirePostgres } from '../../workers/require-postgres.ts';
import { refusalOf } from '../support/refusal.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type PostgresWithTls, startPostgresWithTls } from '../support/tls/postgres-with-tls.ts';

describeNeeding(['openssl'], 'a Postgres with TLS', () => {
  let postgres: PostgresWithTls;
  beforeAll(async () => {
    postgres = await startPostgresWithTls();
  });
  afterAll(() => postgres?.stop());

  type Parameters = Readonly<Record<string, string>>;
  const withTls = (parameters: Parameters) => postgres.url('with_tls', parameters);
  /** localhost is no name in its certificate. */
  const byOtherName = (parameters: Parameters) => withTls(parameters).replace('@127.0.0.1:', '@localhost:');

  /** How a connection of the pool stands, as the server sees it. */
  async function connectionOf(url: string): Promise<{ ssl: boolean; client: string | null }> {
    const database = openDatabase(url, { applicationName: 'test' });
    try {
      const { rows } = await database.pool.query<{ ssl: boolean; client: string | null }>(
        'SELECT ssl, client_dn AS client FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return rows[0]!;
    } finally {
      await database.close();
    }
  }

  /** Why it can't be used; the password is never said. */
  const refusal = (url: string) => refusalOf(requirePostgres(url), new URL(url).password);

  it('is refused without sslmode, as the server wants TLS', async () => {
    expect(await refusal(withTls({}))).toMatch(/no pg_hba\.conf entry .* no encryption/);
    expect(await refusal(withTls({ sslmode: 'disable' }))).toMatch(/no encryption/);
  });

  it('is used with sslmode=require, whoever signed its certificate', async () => {
    expect(await connectionOf(withTls({ sslmode: 'require' }))).toEqual({ ssl: true, client: null });
  });

  it.each(['require', 'verify-ca', 'verify-full'])('is used with sslmode=%s and its authority', async (sslmode) => {
    const url = withTls({ sslmode, sslrootcert: postgres.own.caFile });
    expect(await connectionOf(url)).toEqual({ ssl: true, client: null });
  });

  it.each(['require', 'verify-ca', 'verify-full'])(
    'is refused with sslmode=%s and another authority',
    async (sslmode) => {
      expect(await refusal(withTls({ sslmode, sslrootcert: postgres.other.caFile }))).toMatch(
        /^The Postgres that DATABASE_URL names \(127\.0\.0\.1:\d+\) can't be used: its certificate is signed by no authority that is trusted here \(\w+\)\.$/,
      );
    },
  );

  it("is refused with verify-full where Node's own authorities are the only ones", async () => {
    for (const parameters of [{ sslmode: 'verify-full' }, { sslrootcert: 'system' }] as Parameters[]) {
      expect(await refusal(withTls(parameters))).toContain('signed by no authority that is trusted here');
    }
  });

  it('is refused by another name than that of its certificate with verify-full, and not with verify-ca', async () => {
    const sslrootcert = postgres.own.caFile;
    expect(await refusal(byOtherName({ sslmode: 'verify-full', sslrootcert }))).toContain(
      'its certificate is of another name than the host (ERR_TLS_CERT_ALTNAME_INVALID)',
    );
    expect(await connectionOf(byOtherName({ sslmode: 'verify-ca', sslrootcert }))).toMatchObject({ ssl: true });
  });

  it('that wants a certificate of its clients is used with sslcert and sslkey, by migrations too', async () => {
    const url = postgres.url('with_certificate', {
      sslmode: 'verify-full',
      sslrootcert: postgres.own.caFile,
      sslcert: postgres.client.certFile,
      sslkey: postgres.client.keyFile,
    });
    await requirePostgres(url);
    await migrate(url);
    expect(await connectionOf(url)).toEqual({ ssl: true, client: '/CN=client' });
  });

  it('that wants a certificate of its clients refuses those without one, and those of another authority', async () => {
    const parameters = { sslmode: 'verify-full', sslrootcert: postgres.own.caFile };
    expect(await refusal(postgres.url('with_certificate', parameters))).toMatch(/valid client certificate/);
    const { certFile: sslcert, keyFile: sslkey } = postgres.other.issue('stranger');
    expect(await refusal(postgres.url('with_certificate', { ...parameters, sslcert, sslkey }))).toMatch(
      /it wants a certificate of ours that it trusts \(ERR_SSL_\w+\)/,
    );
  });

  it('that is no longer trusted is trouble of the database, as one that is away', async () => {
    const database = openDatabase(withTls({ sslmode: 'verify-full' }), { applicationName: 'test' });
    const error = await database.pool.query('SELECT 1').catch((thrown: unknown) => thrown);
    await database.close();
    expect(databaseTrouble(error)).toMatchObject({ reason: 'tls-failed' });
  });
});
