import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { isPair, readPemFile } from './pem.ts';

/** How to connect to a Postgres: its URL, and what the URL says of TLS. */
export type PostgresTarget = Pick<ClientConfig, 'connectionString' | 'sslnegotiation'> & {
  readonly ssl: false | ConnectionOptions;
};

export type ReadPostgresUrl =
  | { readonly ok: true; readonly target: PostgresTarget }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What libpq's own settings say, where the URL says nothing. */
export interface TlsDefaults {
  readonly sslmode?: string | undefined;
  readonly sslrootcert?: string | undefined;
  readonly sslcert?: string | undefined;
  readonly sslkey?: string | undefined;
}

const MODES: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'];

const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;
type TlsParameter = (typeof TLS_PARAMETERS)[number];

/** The authorities that Node trusts, instead of a file. */
const SYSTEM = 'system';
const CERTIFICATE = 'certificate';
const KEY = 'private key without a passphrase';

/**
 * Reads a Postgres URL with libpq's meaning of `sslmode`, `sslrootcert`, `sslcert` and `sslkey`: node-postgres takes `require` for
 * `verify-full` (pg-connection-string 2). No mode is no TLS: libpq's `prefer` protects from nobody.
 * https://www.postgresql.org/docs/current/libpq-ssl.html
 * @returns every problem at once, each a sentence without secrets.
 */
export function readPostgresUrl(databaseUrl: string): ReadPostgresUrl {
  if (!URL.canParse(databaseUrl))
    return { ok: false, problems: ['it is no URL like postgres://user:password@host:5432/database'] };
  const url = new URL(databaseUrl);
  const given = tlsOf(url);
  const mode = given.sslmode ?? (given.sslrootcert === SYSTEM ? 'verify-full' : undefined);
  const problems = [...problemsOf(url, given, mode)];
  const files = readFiles(given, problems);
  if (problems.length > 0) return { ok: false, problems };
  const sslnegotiation = url.searchParams.get('sslnegotiation') === 'direct' ? 'direct' : undefined;
  const isSocket = (url.searchParams.get('host') ?? decodeURIComponent(url.hostname)).startsWith('/');
  const ssl = isSocket || mode === undefined || mode === 'disable' ? false : tlsOptions(mode, files);
  // what stands in the string would win over `ssl`
  const connectionString = without(url, [...TLS_PARAMETERS, 'sslnegotiation']) ?? databaseUrl;
  return { ok: true, target: { connectionString, ssl, ...(ssl && sslnegotiation ? { sslnegotiation } : {}) } };
}

/** As `readPostgresUrl`. @throws Error with all problems in one line. */
export function postgresTarget(databaseUrl: string): PostgresTarget {
  const read = readPostgresUrl(databaseUrl);
  if (!read.ok) throw new Error(`DATABASE_URL: ${read.problems.join('; ')}`);
  return read.target;
}

/** The URL with what libpq's own settings (PGSSLMODE and the like) say where it says nothing; they count only with a mode. */
export function withTlsDefaults(databaseUrl: string, defaults: TlsDefaults): string {
  const url = new URL(databaseUrl);
  const { sslmode, sslrootcert } = { ...defaults, ...tlsOf(url) };
  if (sslmode === undefined && sslrootcert !== SYSTEM) return databaseUrl;
  const missing = TLS_PARAMETERS.filter((name) => !url.searchParams.has(name) && defaults[name] !== undefined);
  if (missing.length === 0) return databaseUrl;
  for (const name of missing) url.searchParams.set(name, defaults[name] ?? '');
  return url.href;
}

type Given = { [name in TlsParameter]?: string };

/** What the URL says of TLS; empty values count as absent. */
function tlsOf(url: URL): Given {
  const values = TLS_PARAMETERS.map((name) => [name, url.searchParams.get(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value)) as Given;
}

function* problemsOf(url: URL, given: Given, mode: string | undefined): Generator<string> {
  const files = (['sslrootcert', 'sslcert', 'sslkey'] as const).filter((name) => given[name] !== undefined);
  if (url.searchParams.has('ssl')) yield "ssl is not one of libpq's parameters: write sslmode, verify-full for example";
  if (mode === undefined && files.length > 0)
    yield `${files.join(', ')}: without sslmode; set it to verify-full, for example`;
  if (mode !== undefined && !MODES.includes(mode)) {
    const advice = mode === 'no-verify' ? "; libpq's name for no-verify is require" : '';
    yield `sslmode must be one of ${MODES.join(', ')}${advice}`;
  }
  if (mode === 'verify-ca' && given.sslrootcert === undefined) yield 'sslmode=verify-ca needs sslrootcert';
  if (given.sslrootcert === SYSTEM && mode !== 'verify-full') yield 'sslrootcert=system needs sslmode=verify-full';
  if ((given.sslcert === undefined) !== (given.sslkey === undefined)) yield 'sslcert, sslkey: set both, or neither';
}

interface Files {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

function readFiles({ sslrootcert, sslcert, sslkey }: Given, problems: string[]): Files {
  const ca =
    sslrootcert && sslrootcert !== SYSTEM ? readPemFile('sslrootcert', sslrootcert, CERTIFICATE, problems) : undefined;
  const cert = sslcert === undefined ? undefined : readPemFile('sslcert', sslcert, CERTIFICATE, problems);
  const key = sslkey === undefined ? undefined : readPemFile('sslkey', sslkey, KEY, problems);
  if (cert && key && !isPair(cert, key)) problems.push('sslcert, sslkey: the key is not that of the certificate');
  return { ca, cert, key };
}

/** `require` with authorities is `verify-ca`, as in libpq. */
function tlsOptions(mode: string, { ca, cert, key }: Files): ConnectionOptions {
  const own = cert && key ? { cert, key } : {};
  if (mode === 'verify-full') return { ...own, ...(ca ? { ca } : {}), rejectUnauthorized: true };
  if (ca === undefined) return { ...own, rejectUnauthorized: false };
  return { ...own, ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}

function without(url: URL, names: readonly string[]): string | undefined {
  const present = names.filter((name) => url.searchParams.has(name));
  for (const name of present) url.searchParams.delete(name);
  return present.length > 0 ? url.href : undefined;
}
