import { DatabaseError } from 'pg';

/** Why Postgres cannot do what it is asked although the request is sound: the same request will succeed later. */
export interface DatabaseTrouble {
  reason: TroubleReason;
  /** A sentence for people, without its full stop. */
  message: string;
}

const SENTENCES = {
  unreachable: 'the database can not be reached',
  'not-answering': 'the database does not answer',
  'shutting-down': 'the database is shutting down or starting up',
  refused: 'the database refuses the requests of this process',
  'tls-failed':
    'no secure connection to the database can be made: one side does not accept the certificate of the other',
  'too-many-connections': 'the database takes no more connections',
  'disk-full': 'the disk of the database is full',
  'read-only': 'the database is read-only',
  'out-of-memory': 'the database is out of memory',
  'out-of-resources': 'the database is out of resources',
  'storage-failed': 'the disk of the database fails',
  'statement-timeout': 'the database takes too long',
  'lock-timeout': 'others hold locks on what is to be changed in the database',
  contended: 'others kept changing the same rows in the database',
  'connections-busy': 'all connections of this process to the database are busy',
} as const;

/** Some are about the server, some about one statement: see `concernsServer`. */
export type TroubleReason = keyof typeof SENTENCES;

/** These are about one statement, or about what else this process asks: other statements may still be answered. */
const OF_STATEMENTS: ReadonlySet<TroubleReason> = new Set([
  'statement-timeout',
  'lock-timeout',
  'contended',
  'connections-busy',
]);

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REASON_OF_SQLSTATE: Readonly<Record<string, TroubleReason>> = {
  '25006': 'read-only',
  '25P03': 'unreachable',
  '40001': 'contended',
  '40P01': 'contended',
  '53100': 'disk-full',
  '53200': 'out-of-memory',
  '53300': 'too-many-connections',
  '55P03': 'lock-timeout',
  '57014': 'statement-timeout',
  '57P01': 'shutting-down',
  '57P02': 'shutting-down',
  '57P03': 'shutting-down',
  '57P05': 'unreachable',
  '58030': 'storage-failed',
};

const REASON_OF_CLASS: Readonly<Record<string, TroubleReason>> = {
  '08': 'unreachable',
  '28': 'refused',
  '3D': 'refused',
  '53': 'out-of-resources',
};

/** Also the answer to a statement with the wrong number of values, which is no trouble of Postgres's. */
const PROTOCOL_VIOLATION = '08P01';

const REASON_OF_SYSTEM_CODE: Readonly<Record<string, TroubleReason>> = {
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  ECONNABORTED: 'unreachable',
  EPIPE: 'unreachable',
  ENOENT: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'not-answering',
};

/** Codes of Node's errors about certificates and the handshake: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_(CA|PURPOSE))/;

/** Errors of the driver itself, which have no code. */
const REASON_OF_MESSAGE: readonly (readonly [RegExp, TroubleReason])[] = [
  [/^timeout exceeded when trying to connect/, 'connections-busy'],
  [/^timeout expired|due to connection timeout/, 'not-answering'],
  [/^Connection terminated|^Client has encountered a connection error|^Client was closed/, 'unreachable'],
  [/SSL connection/, 'refused'],
];

/** Texts of errors for which Postgres has no code. */
const NO_SPACE = /No space left on device|Disk quota exceeded/;

/** Trouble as an error: Postgres was not asked because of it, or did not answer within the limit. */
export class DatabaseAway extends Error {
  readonly trouble: DatabaseTrouble;

  constructor(trouble: DatabaseTrouble, options?: ErrorOptions) {
    super(trouble.message, options);
    this.name = 'DatabaseAway';
    this.trouble = trouble;
  }
}

/** The trouble of this reason, in its sentence. */
export function troubleOf(reason: TroubleReason): DatabaseTrouble {
  return { reason, message: SENTENCES[reason] };
}

/** `disk-full` as people read it: `disk full`. */
export function wordsOf({ reason }: DatabaseTrouble): string {
  return reason.replaceAll('-', ' ');
}

/**
 * The trouble that an error or its causes are about; null when Postgres refused a statement, or the error is not about
 * Postgres.
 */
export function databaseTrouble(error: unknown): DatabaseTrouble | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DatabaseAway) return cause.trouble;
    const reason = reasonOf(cause);
    if (reason !== null) return troubleOf(reason);
  }
  return null;
}

/** Whether the server as a whole is in trouble, rather than one statement only. */
export function concernsServer({ reason }: DatabaseTrouble): boolean {
  return !OF_STATEMENTS.has(reason);
}

/**
 * Whether Postgres rolled this back because of a concurrent transaction (a deadlock, a serialization failure): trying again at
 * once usually succeeds.
 */
export function isContended(error: unknown): boolean {
  return databaseTrouble(error)?.reason === 'contended';
}

function reasonOf(error: Error): TroubleReason | null {
  if (error instanceof DatabaseError) return reasonOfServer(error);
  const code = 'code' in error ? String(error.code) : '';
  const known = REASON_OF_SYSTEM_CODE[code];
  if (known !== undefined) return known;
  if (TLS_CODE.test(code)) return 'tls-failed';
  if (error instanceof AggregateError) {
    const troubles = error.errors.map(databaseTrouble);
    return troubles.find((trouble) => trouble !== null)?.reason ?? null;
  }
  return REASON_OF_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1] ?? null;
}

function reasonOfServer({ code = '', severity, message }: DatabaseError): TroubleReason | null {
  const known = REASON_OF_SQLSTATE[code];
  if (known !== undefined) return known;
  if (NO_SPACE.test(message)) return 'disk-full';
  const isFatal = severity === 'FATAL' || severity === 'PANIC';
  if (code === PROTOCOL_VIOLATION) return isFatal ? 'unreachable' : null;
  return REASON_OF_CLASS[code.slice(0, 2)] ?? (isFatal ? 'unreachable' : null);
}

/** Whether Postgres refused a row because another one has its name. */
export function isUniqueViolation(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DatabaseError) return cause.code === '23505';
  }
  return false;
}
