import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresTarget, readPostgresUrl, withTlsDefaults } from '../../db/postgres-url.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type Authority, type Certificate, createAuthority } from '../support/tls/authority.ts';

const BASE = 'postgres://defib:sesame@db.example:5433/defib';

function problemsOf(search: string): readonly string[] {
  const read = readPostgresUrl(`${BASE}?${search}`);
  return read.ok ? [] : read.problems;
}

describe('a URL of Postgres', () => {
  it('without sslmode is taken as it is, and means no TLS', () => {
    const url = `${BASE}?application_name=x&options=-c%20search_path%3Dmine`;
    expect(postgresTarget(url)).toEqual({ connectionString: url, ssl: false });
    expect(postgresTarget(`${BASE}?sslmode=disable`)).toEqual({ connectionString: BASE, ssl: false });
  });

  it('keeps what is not about TLS', () => {
    const { connectionString } = postgresTarget(`${BASE}?application_name=x&sslmode=require&connect_timeout=5`);
    expect(connectionString).toBe(`${BASE}?application_name=x&connect_timeout=5`);
  });

  it.each([
    ['sslmode=require', { rejectUnauthorized: false }],
    ['sslmode=verify-full', { rejectUnauthorized: true }],
    ['sslrootcert=system', { rejectUnauthorized: true }],
    ['sslmode=verify-full&sslrootcert=system', { rejectUnauthorized: true }],
    ['sslmode=verify-full&sslrootcert=', { rejectUnauthorized: true }],
  ])('means by %s what libpq means', (search, ssl) => {
    expect(postgresTarget(`${BASE}?${search}`).ssl).toEqual(ssl);
  });

  it.each(['postgres:///defib?host=/run/postgresql&', 'postgres://%2Frun%2Fpostgresql/defib?'])(
    'of a socket has no TLS, as in libpq: %s',
    (url) => {
      expect(postgresTarget(`${url}sslmode=verify-full`).ssl).toBe(false);
    },
  );

  it('may have TLS without being asked for it first', () => {
    const search = 'sslmode=require&sslnegotiation=direct';
    expect(postgresTarget(`${BASE}?${search}`)).toMatchObject({ connectionString: BASE, sslnegotiation: 'direct' });
  });

  it.each([
    ['sslmode=prefer', 'sslmode must be one of disable, require, verify-ca, verify-full'],
    [
      'sslmode=no-verify',
      "sslmode must be one of disable, require, verify-ca, verify-full; libpq's name for no-verify is require",
    ],
    ['sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert'],
    ['sslmode=require&sslrootcert=system', 'sslrootcert=system needs sslmode=verify-full'],
    ['ssl=true', "ssl is not one of libpq's parameters: write sslmode, verify-full for example"],
    [
      'sslrootcert=/no/ca.pem',
      'sslrootcert: without sslmode; set it to verify-full, for example',
      "sslrootcert: /no/ca.pem can't be read (ENOENT)",
    ],
    [
      'sslmode=verify-ca&sslcert=/no/cert.pem',
      'sslmode=verify-ca needs sslrootcert',
      'sslcert, sslkey: set both, or neither',
      "sslcert: /no/cert.pem can't be read (ENOENT)",
    ],
  ])('is refused by all of its problems at once: %s', (search, ...problems) => {
    expect(problemsOf(search)).toEqual(problems);
  });

  it('shows no password when it is refused', () => {
    expect(() => postgresTarget(`${BASE}?sslmode=x`)).toThrow(/^DATABASE_URL: sslmode must be one of/);
    expect(() => postgresTarget('//defib:sesame@db')).toThrow(/^DATABASE_URL: it is no URL like postgres:\S+$/);
    expect(problemsOf('sslmode=sesame&sslrootcert=/no').join()).not.toContain('sesame');
  });
});

describe("what libpq's own settings add to a URL", () => {
  it('counts where the URL says nothing', () => {
    const defaults = { sslmode: 'verify-full', sslrootcert: '/ca.pem', sslcert: '/cert.pem', sslkey: '/key.pem' };
    expect(withTlsDefaults(BASE, { sslmode: 'require' })).toBe(`${BASE}?sslmode=require`);
    const searched = new URL(withTlsDefaults(`${BASE}?sslmode=verify-ca`, defaults)).searchParams;
    expect(Object.fromEntries(searched)).toEqual({ ...defaults, sslmode: 'verify-ca' });
  });

  it('counts only where there is a mode', () => {
    expect(withTlsDefaults(BASE, { sslrootcert: '/ca.pem', sslcert: '/cert.pem' })).toBe(BASE);
    expect(withTlsDefaults(BASE, { sslrootcert: 'system' })).toBe(`${BASE}?sslrootcert=system`);
    expect(withTlsDefaults(BASE, {})).toBe(BASE);
  });
});

describeNeeding(['openssl'], 'the files that a URL of Postgres names', () => {
  let folder: string;
  let own: Authority;
  let client: Certificate;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'defib-postgres-url-'));
    own = createAuthority(folder, 'own');
    client = own.issue('client');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are read: authorities make require what verify-ca is', () => {
    const files = `sslrootcert=${own.caFile}&sslcert=${client.certFile}&sslkey=${client.keyFile}`;
    const { cert, key } = client;
    const named = { ca: own.ca, cert, key, rejectUnauthorized: true };
    const noMatterWhichHost = { ...named, checkServerIdentity: expect.any(Function) };
    expect(postgresTarget(`${BASE}?sslmode=verify-full&${files}`).ssl).toEqual(named);
    expect(postgresTarget(`${BASE}?sslmode=verify-ca&${files}`).ssl).toEqual(noMatterWhichHost);
    expect(postgresTarget(`${BASE}?sslmode=require&${files}`).ssl).toEqual(noMatterWhichHost);
  });

  it('are refused when they are something else, or do not go together', () => {
    const mode = `sslmode=verify-full&sslrootcert=${own.caFile}`;
    expect(problemsOf(`${mode}&sslcert=${client.keyFile}&sslkey=${client.certFile}`)).toEqual([
      `sslcert: ${client.keyFile} holds no certificate (PEM)`,
      `sslkey: ${client.certFile} holds no private key without a passphrase (PEM)`,
    ]);
    const other = own.issue('other');
    expect(problemsOf(`${mode}&sslcert=${client.certFile}&sslkey=${other.keyFile}`)).toEqual([
      'sslcert, sslkey: the key is not that of the certificate',
    ]);
  });
});
