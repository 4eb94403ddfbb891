import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../../../local/embedded-postgres.ts';
import { findFreePort } from '../../../local/ports.ts';
import { makeRunFolder } from '../leftover-runs.ts';
import { query } from '../postgres.ts';
import { type Authority, type Certificate, createAuthority } from './authority.ts';

/** A Postgres that takes connections from others with TLS only. */
export interface PostgresWithTls {
  /** Authority of the server and of its clients. */
  readonly own: Authority;
  /** Another, which neither trusts. */
  readonly other: Authority;
  readonly client: Certificate;
  /** The URL of a database: `with_tls`, or `with_certificate`, which wants one of the client; with these parameters. */
  url(database: 'with_tls' | 'with_certificate', parameters?: Readonly<Record<string, string>>): string;
  stop(): Promise<void>;
}

/** By host and database: https://www.postgresql.org/docs/current/auth-pg-hba-conf.html */
const HBA = `
hostssl   with_tls         all 127.0.0.1/32 scram-sha-256
hostssl   with_certificate all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
host      postgres,defib   all 127.0.0.1/32 scram-sha-256
`;

/** Starts one whose certificate is for 127.0.0.1, not for localhost. Needs `openssl`. */
export async function startPostgresWithTls(): Promise<PostgresWithTls> {
  const folder = makeRunFolder();
  const own = createAuthority(folder.path, 'own');
  const other = createAuthority(folder.path, 'other');
  const server = own.issue('server', ['IP:127.0.0.1']);
  const hbaFile = join(folder.path, 'pg_hba.conf');
  writeFileSync(hbaFile, HBA);
  const postgres = await startPostgres({
    dataDir: join(folder.path, 'postgres'),
    port: await findFreePort(),
    throwaway: true,
    settings: {
      ssl: 'on',
      ssl_cert_file: server.certFile,
      ssl_key_file: server.keyFile,
      ssl_ca_file: own.caFile,
      hba_file: hbaFile,
    },
  });
  for (const name of ['with_tls', 'with_certificate']) await query(postgres.adminUrl, `CREATE DATABASE ${name}`);
  return {
    own,
    other,
    client: own.issue('client'),
    url(database, parameters = {}) {
      const url = new URL(postgres.url);
      url.pathname = `/${database}`;
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    },
    async stop() {
      await postgres.stop();
      folder.remove();
    },
  };
}
