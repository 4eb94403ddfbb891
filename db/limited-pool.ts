import pg, { DatabaseError, type PoolClient } from 'pg';
import { DatabaseAway, databaseTrouble, type TroubleReason, troubleOf } from './database-trouble.ts';
import type { Limits } from './limits.ts';

/** What a pool tells of the errors it meets, and is told in return. */
export interface PoolObserver {
  /** Grows whenever connections made until then may lead to a Postgres that is gone; they are not used any more. */
  readonly generation: number;
  /** While it is set, nobody is let wait: queries are refused with it. */
  readonly refusing: DatabaseAway | null;
  failed(error: unknown): void;
}

export interface PoolOptions {
  applicationName: string;
  max: number;
  limits: Limits;
  /** Whether its idle connections let the process end; default: they don't. */
  allowExitOnIdle?: boolean;
}

/** A goodbye that isn't answered must not keep the process from ending. */
const GOODBYE_MS = 1_000;

/** After these a connection does as well as before. After every other trouble the next one may lead to another server. */
const CONNECTION_OUTLIVES: ReadonlySet<TroubleReason> = new Set([
  'statement-timeout',
  'lock-timeout',
  'contended',
  'disk-full',
]);

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (destroy?: Error | boolean) => void,
) => void;

/**
 * A pool of connections on each of which a query is answered within the limits or rejects with what Postgres's trouble is; a
 * connection that was silent for too long is destroyed, also in the middle of a transaction. node-postgres's own
 * `query_timeout` would hand it on to the next one who asks. Lost connections show as errors of the queries that needed them,
 * never as a crash of the process.
 */
export class LimitedPool extends pg.Pool {
  readonly #observer: PoolObserver;
  readonly #generations = new WeakMap<PoolClient, number>();

  constructor(databaseUrl: string, options: PoolOptions, observer: PoolObserver) {
    const { limits } = options;
    super({
      connectionString: databaseUrl,
      max: options.max,
      allowExitOnIdle: options.allowExitOnIdle ?? false,
      application_name: options.applicationName,
      connectionTimeoutMillis: limits.connectMs,
      statement_timeout: limits.statementMs,
      lock_timeout: limits.lockMs,
      idle_in_transaction_session_timeout: limits.idleMs,
      keepAlive: true,
    });
    this.#observer = observer;
    // by assignment, for its overloads are many: drizzle and we ask for promises only
    Object.assign(this, { query: (...args: unknown[]) => this.#ask(args) });
    this.on('error', () => undefined);
    this.on('connect', (client) => {
      this.#generations.set(client, observer.generation);
      limitAnswers(client, limits.answerMs, (error) => this.#failed(client, error));
    });
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
    const lent = this.#lend();
    if (callback === undefined) return lent;
    lent.then(
      (client) => callback(undefined, client, client.release.bind(client)),
      (error: Error) => callback(error, undefined, () => undefined),
    );
  }

  /** Unlike pg.Pool's own, it keeps a connection on which a statement was merely wrong. */
  async #ask(args: unknown[]): Promise<unknown> {
    const client = await this.#lend();
    try {
      const result = await (client.query as Query)(...args);
      client.release();
      return result;
    } catch (error) {
      client.release(!(error instanceof DatabaseError && outlives(error)));
      throw error;
    }
  }

  async #lend(): Promise<PoolClient> {
    const { refusing } = this.#observer;
    if (refusing !== null) throw refusing;
    try {
      let client = await super.connect();
      while (this.#isOutdated(client)) {
        client.release(true);
        client = await super.connect();
      }
      return client;
    } catch (error) {
      this.#observer.failed(error);
      throw error;
    }
  }

  #isOutdated(client: PoolClient): boolean {
    return (this.#generations.get(client) ?? 0) < this.#observer.generation;
  }

  /** That one of the outdated connections is lost as well is no news. */
  #failed(client: PoolClient, error: unknown): void {
    if (error instanceof DatabaseError || !this.#isOutdated(client)) this.#observer.failed(error);
  }
}

/** Whether a connection does for others after this error of what was asked on it; a lost one never does, whatever this says. */
export function outlives(error: unknown): boolean {
  const trouble = databaseTrouble(error);
  return trouble === null || CONNECTION_OUTLIVES.has(trouble.reason);
}

type Query = (...args: unknown[]) => unknown;
type Answered = (error: unknown, result?: unknown) => void;

/** Once a connection is lost, every query on it rejects with what it was lost by: a rollback's error would hide that. */
function limitAnswers(client: PoolClient, answerMs: number, failed: (error: unknown) => void): void {
  const { stream } = client.connection;
  const query = client.query.bind(client) as Query;
  const end = client.end.bind(client) as (...args: unknown[]) => Promise<void>;
  let lost: Error | null = null;
  client.on('error', (error) => {
    lost ??= error;
  });

  /** What was asked is answered; call what it returns then. */
  function startLimit(): () => void {
    let answered = false;
    const timer = setTimeout(() => {
      // in a process that was frozen itself the answer may be there, and is read before this
      setImmediate(() => {
        if (!answered) stream.destroy(new DatabaseAway(troubleOf('not-answering')));
      });
    }, answerMs);
    return () => {
      answered = true;
      clearTimeout(timer);
    };
  }

  function limited(...args: unknown[]): unknown {
    const callback = args.at(-1);
    if (lost !== null) {
      const error = lost;
      if (typeof callback !== 'function') return Promise.reject(error);
      process.nextTick(callback as Answered, error);
      return undefined;
    }
    const answered = startLimit();
    if (typeof callback === 'function') {
      const hear: Answered = (error, result) => {
        answered();
        if (error) failed(error);
        (callback as Answered)(error, result);
      };
      return query(...args.slice(0, -1), hear);
    }
    return (query(...args) as Promise<unknown>).then(
      (result) => {
        answered();
        return result;
      },
      (error: unknown) => {
        answered();
        failed(error);
        throw error;
      },
    );
  }

  function endSoon(...args: unknown[]): Promise<void> {
    const timer = setTimeout(() => stream.destroy(), GOODBYE_MS);
    stream.once('close', () => clearTimeout(timer));
    return end(...args);
  }

  Object.assign(client, { query: limited, end: endSoon });
}
