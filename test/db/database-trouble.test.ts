import { DrizzleQueryError } from 'drizzle-orm';
import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import {
  concernsServer,
  DatabaseAway,
  databaseTrouble,
  type TroubleReason,
  troubleOf,
  wordsOf,
} from '../../db/database-trouble.ts';

function saidByServer(code: string, message = 'it said', severity = 'ERROR'): DatabaseError {
  return Object.assign(new DatabaseError(message, 0, 'error'), { code, severity });
}

const saidBySystem = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe("Postgres's trouble", () => {
  it.each<[TroubleReason, ...string[]]>([
    ['disk-full', '53100'],
    ['read-only', '25006'],
    ['shutting-down', '57P01', '57P02', '57P03'],
    ['too-many-connections', '53300'],
    ['out-of-memory', '53200'],
    ['out-of-resources', '53000', '53400'],
    ['storage-failed', '58030'],
    ['statement-timeout', '57014'],
    ['lock-timeout', '55P03'],
    ['contended', '40001', '40P01'],
    ['unreachable', '08000', '08006', '25P03', '57P05'],
    ['refused', '28000', '28P01', '3D000'],
  ])('is %s by what the server says', (reason, ...codes) => {
    for (const code of codes) expect(databaseTrouble(saidByServer(code))?.reason, code).toBe(reason);
  });

  it.each<[TroubleReason, ...string[]]>([
    ['unreachable', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'],
    ['not-answering', 'ETIMEDOUT'],
    ['tls-failed', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['tls-failed', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('is %s by what the system says', (reason, ...codes) => {
    for (const code of codes) expect(databaseTrouble(saidBySystem(code))?.reason, code).toBe(reason);
  });

  it.each<[TroubleReason, string]>([
    ['connections-busy', 'timeout exceeded when trying to connect'],
    ['not-answering', 'timeout expired'],
    ['not-answering', 'Connection terminated due to connection timeout'],
    ['unreachable', 'Connection terminated unexpectedly'],
    ['unreachable', 'Client has encountered a connection error and is not queryable'],
  ])('is %s by what the driver says: %s', (reason, message) => {
    expect(databaseTrouble(new Error(message))?.reason).toBe(reason);
  });

  it('is a full disk also where the server has no code for it', () => {
    expect(databaseTrouble(saidByServer('XX000', 'could not extend file: Disk quota exceeded'))?.reason).toBe(
      'disk-full',
    );
  });

  it('is found behind the errors that wrap it', () => {
    const wrapped = new DrizzleQueryError('UPDATE vms', [], saidByServer('53100'));
    expect(databaseTrouble(wrapped)?.reason).toBe('disk-full');
    expect(databaseTrouble(new AggregateError([new Error('x'), saidBySystem('ECONNREFUSED')]))?.reason).toBe(
      'unreachable',
    );
    const away = new DatabaseAway(troubleOf('read-only'), { cause: saidByServer('57014') });
    expect(databaseTrouble(new Error('it failed', { cause: away }))?.reason).toBe('read-only');
  });

  it.each(['22003', '23505', '42P01', '42501', '08P01', 'XX000', '54000', 'P0001'])(
    'is none of a statement that Postgres dislikes: %s',
    (code) => {
      expect(databaseTrouble(saidByServer(code))).toBeNull();
    },
  );

  it('is that it can not be reached when the server ends the connection by what it said, whatever that is', () => {
    expect(databaseTrouble(saidByServer('08P01', 'query_wait_timeout', 'FATAL'))?.reason).toBe('unreachable');
    expect(databaseTrouble(saidByServer('XX000', 'out of order', 'FATAL'))?.reason).toBe('unreachable');
  });

  it('is none of other errors, and of what is no error', () => {
    for (const other of [new Error('no'), new TypeError('x is not a function'), 'ECONNRESET', null, undefined, 7]) {
      expect(databaseTrouble(other)).toBeNull();
    }
  });

  it('is told in words and in a sentence', () => {
    expect(wordsOf(troubleOf('disk-full'))).toBe('disk full');
    expect(troubleOf('disk-full').message).toBe('the disk of the database is full');
  });

  it('concerns the whole server, unless it is of one statement', () => {
    expect(concernsServer(troubleOf('disk-full'))).toBe(true);
    expect(concernsServer(troubleOf('not-answering'))).toBe(true);
    for (const reason of ['statement-timeout', 'lock-timeout', 'contended', 'connections-busy'] as const) {
      expect(concernsServer(troubleOf(reason))).toBe(false);
    }
  });
});
