import pg, { DatabaseError, type PoolClient } from 'pg';
import { DatabaseAway, databaseTrouble, type TroubleReason, troubleOf } from './database-trouble.ts';
import type { Limits } from './limits.ts';
import { postgresTarget } from './postgres-url.ts';

/** Receives a pool's errors, and says which connections the pool may use. */
export interface PoolObserver {
  /** Grows whenever older connections may lead to a Postgres that is gone; the pool no longer uses those. */
  readonly generation: number;
  /** While it is set, queries reject with it at once instead of waiting. */
  readonly refusing: DatabaseAway | null;
  failed(error: unknown): void;
}

export interface PoolOptions {
  applicationName: string;
  max: number;
  limits: Limits;
  /** Whether the process may end while there are idle connections; default: no. */
  allowExitOnIdle?: boolean;
}

/** How long to wait for Postgres to close a connection; one that never answers would keep the process from ending. */
const GOODBYE_MS = 1_000;

/** After these a connection can be used again. After every other trouble a new connection may lead to another server. */
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
 * A pool whose queries are answered within the limits, or reject with Postgres's trouble. A connection that does not answer in
 * time is destroyed, also in the middle of a transaction; node-postgres's own `query_timeout` would give it to the next query.
 * A lost connection shows as an error of the queries that needed it, never as a crash of the process.
 */
export class LimitedPool extends pg.Pool {
  readonly #observer: PoolObserver;
  readonly #generations = new WeakMap<PoolClient, number>();

  constructor(databaseUrl: string, options: PoolOptions, observer: PoolObserver) {
    const { limits } = options;
    super({
      ...postgresTarget(databaseUrl),
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
    // assigned rather than overridden, because of its many overloads: drizzle and Defib use the one that returns a promise
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

  /** Unlike `pg.Pool`, it keeps a connection whose statement Postgres refused. */
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

  /** An outdated connection that is lost says nothing about Postgres now. */
  #failed(client: PoolClient, error: unknown): void {
    if (error instanceof DatabaseError || !this.#isOutdated(client)) this.#observer.failed(error);
  }
}

/** Whether other queries can use a connection after this error of a query on it. Not asked for a lost connection. */
export function outlives(error: unknown): boolean {
  const trouble = databaseTrouble(error);
  return trouble === null || CONNECTION_OUTLIVES.has(trouble.reason);
}

type Query = (...args: unknown[]) => unknown;
type Answered = (error: unknown, result?: unknown) => void;

/**
 * Limits how long each query may go unanswered. Once a connection is lost, every query on it rejects with the reason of the
 * loss, which the error of a rollback would hide otherwise.
 */
function limitAnswers(client: PoolClient, answerMs: number, failed: (error: unknown) => void): void {
  const { stream } = client.connection;
  const query = client.query.bind(client) as Query;
  const end = client.end.bind(client) as (...args: unknown[]) => Promise<void>;
  let lost: Error | null = null;
  client.on('error', (error) => {
    lost ??= error;
  });

  /** Starts the limit of one query; call what it returns once that is answered. */
  function startLimit(): () => void {
    let answered = false;
    const timer = setTimeout(() => {
      // if this process was suspended, the answer may have arrived; it is read before this runs
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
