/** How long Postgres may take; ms. */
export interface Limits {
  /** To make a connection, or for one of the pool to become free. */
  connectMs: number;
  /** To get a lock that others hold; 0 = as long as the statement may take. Postgres keeps this limit. */
  lockMs: number;
  /** For one statement. Postgres keeps it, says so, and its connection goes on. */
  statementMs: number;
  /**
   * Until a statement is answered. This process keeps it, because a Postgres that is frozen or behind a dead network can't.
   * Longer than `statementMs`, so that one which is only slow can report that itself. Then the connection is destroyed.
   */
  answerMs: number;
  /**
   * Between two statements of a transaction. Postgres keeps it, so that a transaction whose process is frozen or unreachable
   * does not hold its locks for longer.
   */
  idleMs: number;
}

const IDLE_MS = 10_000;

/**
 * By use. Looks go on within 5 s of any fault of Postgres: a look that is reading waits `looks`, after which no look asks
 * Postgres at all (DatabaseState); a look that is writing waits `writes`. A heal holds instead of waiting. Requests wait about
 * as long as their callers would. Upkeep deletes many rows at once.
 */
export const LIMITS = {
  looks: { connectMs: 2_000, lockMs: 0, statementMs: 1_500, answerMs: 2_000, idleMs: IDLE_MS },
  writes: { connectMs: 2_000, lockMs: 1_000, statementMs: 2_000, answerMs: 3_000, idleMs: IDLE_MS },
  heals: { connectMs: 3_000, lockMs: 0, statementMs: 4_000, answerMs: 5_000, idleMs: IDLE_MS },
  requests: { connectMs: 3_000, lockMs: 0, statementMs: 10_000, answerMs: 11_000, idleMs: IDLE_MS },
  upkeep: { connectMs: 3_000, lockMs: 0, statementMs: 60_000, answerMs: 61_000, idleMs: IDLE_MS },
  probe: { connectMs: 1_500, lockMs: 0, statementMs: 1_000, answerMs: 1_500, idleMs: IDLE_MS },
} as const satisfies Record<string, Limits>;
