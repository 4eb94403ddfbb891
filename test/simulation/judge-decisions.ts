import { type Played, suffered } from './played.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import type { StoredOperation } from './stored-operations.ts';

/** What decisions and operations must never be, by what is on record of them. */
export async function judgeDecisions(
  world: SimulatedWorld,
  stored: readonly StoredOperation[],
  played: Played,
): Promise<string[]> {
  return [
    ...(await undecided(world, stored)),
    ...(await afterTheEnd(world, played)),
    ...(await whilePaused(world, played)),
    ...tooOld(stored),
    ...decidedTwice(stored),
    ...(await againstEvidence(world, stored, played)),
    ...(await leftOver(world)),
    ...world.calls.troubles,
  ];
}

/** Nothing is intended without a decision to act that is on record. */
async function undecided({ database }: SimulatedWorld, stored: readonly StoredOperation[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ key: string; count: number }>(
    `SELECT vm_id || '/' || incident AS key, count(*)::int AS count FROM heal_steps WHERE kind = 'act' GROUP BY 1`,
  );
  const acts = new Map(rows.map(({ key, count }) => [key, count]));
  const counts = new Map<string, number>();
  for (const { vmId, incident } of stored) {
    const key = `${vmId}/${incident}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].flatMap(([key, count]) =>
    count > (acts.get(key) ?? 0) ? [`incident ${key} has ${count} operations and fewer decisions to act`] : [],
  );
}

/** Nothing is intended for an incident that is over. */
async function afterTheEnd({ database }: SimulatedWorld, played: Played): Promise<string[]> {
  const { rows } = await database.pool.query<{ text: string; closed: Date; intended: Date }>(
    `SELECT 'operation ' || o.id || ' was intended at ' || o.intended_at || ', and its incident closed at ' || i.closed_at AS text,
       i.closed_at AS closed, o.intended_at AS intended
     FROM operations o JOIN incidents i USING (vm_id, incident) WHERE o.intended_at > i.closed_at`,
  );
  // both times are a worker's
  const isUnclear = (closed: Date, intended: Date) =>
    suffered(played, ['clock-off'], closed.getTime(), closed.getTime()) ||
    suffered(played, ['clock-off'], intended.getTime(), intended.getTime());
  return rows.flatMap(({ text, closed, intended }) => (isUnclear(closed, intended) ? [] : [text]));
}

/** No incident is opened of a VM that is paused. */
async function whilePaused({ database }: SimulatedWorld, played: Played): Promise<string[]> {
  const { vmIds, bans } = played;
  const { rows } = await database.pool.query<{ vmId: string; incident: number; at: Date }>(
    'SELECT vm_id AS "vmId", incident, opened_at AS at FROM incidents',
  );
  return rows.flatMap(({ vmId, incident, at }) => {
    const atMs = at.getTime();
    if (suffered(played, ['clock-off'], atMs, atMs)) return [];
    const isPaused = bans.some(
      ({ vm, why, fromAtMs, untilAtMs }) =>
        vmIds[vm] === vmId && why === 'paused' && fromAtMs < atMs && atMs < (untilAtMs ?? Number.POSITIVE_INFINITY),
    );
    return isPaused ? [`incident ${vmId}/${incident} was opened while the VM was paused`] : [];
  });
}

const MAX_FACTS_AGE_MS = 20_000;

function tooOld(stored: readonly StoredOperation[]): string[] {
  return stored.flatMap(({ id, sentAtMs, factsAtMs }) => {
    const ageMs = sentAtMs === null || factsAtMs === null ? 0 : sentAtMs - factsAtMs;
    return ageMs > MAX_FACTS_AGE_MS ? [`operation ${id} was sent on facts that were ${ageMs} ms old`] : [];
  });
}

/** What was intended and not sent is gone on with, rather than withdrawn for the same decision again. */
function decidedTwice(stored: readonly StoredOperation[]): string[] {
  return stored.flatMap((one) => {
    if (!one.detail?.startsWith('never sent: decided otherwise')) return [];
    const same = stored.find(
      (other) =>
        other.vmId === one.vmId &&
        other.incident === one.incident &&
        other.intendedAtMs === one.endedAtMs &&
        (['action', 'escalation', 'cause'] as const).every((key) => other[key] === one[key]),
    );
    return same ? [`operation ${one.id} was withdrawn for ${same.id}, which is the same`] : [];
  });
}

/** Virtual time hardly passes while a look is stored. A healthy answer is one at once, but its look waits for slow http checks. */
const STORED_WITHIN_MS = 1_000;

/** Nothing is sent after a healthy look that was stored since the decision, of a check that counted. */
async function againstEvidence(
  { database }: SimulatedWorld,
  stored: readonly StoredOperation[],
  played: Played,
): Promise<string[]> {
  const { plan, vmIds } = played;
  const wrong: string[] = [];
  for (const { id, vmId, sentAtMs, factsAtMs, checkIds } of stored) {
    if (sentAtMs === null || factsAtMs === null) continue;
    // while Postgres is away what is seen is stored later
    if (suffered(played, ['database-away', 'database-silent', 'clock-off'], factsAtMs, sentAtMs)) continue;
    const storedMs = sentAtMs - STORED_WITHIN_MS;
    const timeoutMs = (plan.vms[vmIds.indexOf(vmId)]?.timeoutSeconds ?? 0) * 1_000;
    const { rows } = await database.pool.query<{ at: Date }>(
      `SELECT checked_at AS at FROM check_results
       WHERE check_id = ANY($1::uuid[]) AND status = 'healthy' AND checked_at > $2
         AND checked_at < CASE check_type WHEN 'http' THEN $3::timestamptz ELSE $4 END`,
      [checkIds, new Date(factsAtMs), new Date(storedMs), new Date(storedMs - timeoutMs)],
    );
    if (rows[0]) wrong.push(`operation ${id} was sent after a healthy look of ${rows[0].at.toISOString()}`);
  }
  return wrong;
}

/** Nothing stays in doubt or unjudged once its incident is over. */
async function leftOver({ database }: SimulatedWorld): Promise<string[]> {
  const { rows } = await database.pool.query<{ text: string }>(
    `SELECT 'operation ' || o.id || ' is ' || o.state || ' and its result ' || o.result || ', though its incident is over' AS text
     FROM operations o JOIN incidents i USING (vm_id, incident)
     WHERE i.closed_at IS NOT NULL AND (o.state IN ('intended', 'sent') OR o.result = 'pending')`,
  );
  return rows.map(({ text }) => text);
}
