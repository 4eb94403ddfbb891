import type { SimulatedWorld } from './simulated-world.ts';

/** An operation as a play left it; times by the play's clock, epoch ms. */
export interface StoredOperation {
  id: string;
  vmId: string;
  incident: number;
  attempt: number;
  action: string;
  power: string | null;
  escalation: boolean;
  cause: string;
  state: string;
  result: string;
  presumed: boolean;
  detail: string | null;
  verifyMs: number;
  intendedAtMs: number;
  sentAtMs: number | null;
  endedAtMs: number | null;
  judgedAtMs: number | null;
  /** Of the decision: when its facts were gathered, and its checks that had failed. */
  factsAtMs: number | null;
  checkIds: string[];
}

/** All operations of a play, in the order in which they were intended. */
export async function findStoredOperations({ database }: SimulatedWorld): Promise<StoredOperation[]> {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const { rows } = await database.pool.query<StoredOperation>(
    `SELECT id, vm_id AS "vmId", incident, attempt, action, power, escalation, cause, state, result, presumed, detail,
       verify_ms AS "verifyMs", ${ms('intended_at')} AS "intendedAtMs", ${ms('sent_at')} AS "sentAtMs",
       ${ms('ended_at')} AS "endedAtMs", ${ms('judged_at')} AS "judgedAtMs",
       (fence->>'factsAtMs')::float8 AS "factsAtMs",
       ARRAY(SELECT c->>'checkId' FROM jsonb_array_elements(fence->'checks') c) AS "checkIds"
     FROM operations ORDER BY intended_at, attempt`,
  );
  return rows;
}
