import type { Pool } from 'pg';
import type { FakeSite } from './fake-site.ts';

interface Entry {
  atMs: number;
  /** Of things recorded at the same moment, the cause comes first. */
  rank: number;
  text: string;
}

/** Times are rounded to the 5 s grid, so that a loaded machine writes the same log. */
const GRAIN_MS = 5_000;

/** What happened, from what Defib recorded and what the hypervisor received. */
export async function writeLog(pool: Pool, site: FakeSite, beganAtMs: number, said: Entry[]): Promise<string> {
  const entries: Entry[] = [...said];
  const add = async (rank: number, sql: string): Promise<void> => {
    const { rows } = await pool.query<{ at: Date; text: string }>(sql);
    for (const { at, text } of rows) entries.push({ atMs: at.getTime(), rank, text });
  };
  await add(
    1,
    "SELECT at, 'health: ' || from_status || ' -> ' || to_status AS text FROM health_transitions ORDER BY seq",
  );
  await add(2, "SELECT opened_at AS at, 'incident ' || incident || ' opened' AS text FROM incidents");
  await add(
    3,
    `SELECT decided_at AS at, 'decided: ' || kind || ' (' || reason || ')' AS text FROM heal_steps
     ORDER BY incident, step`,
  );
  await add(
    4,
    `SELECT intended_at AS at, 'operation ' || incident || '/' || action || '/' || attempt || ': intended' AS text
     FROM operations`,
  );
  for (const { atMs, action } of site.powerCommands) entries.push({ atMs, rank: 5, text: `hypervisor: ${action}` });
  await add(
    6,
    `SELECT ended_at AS at, 'operation ' || incident || '/' || action || '/' || attempt || ': ' || state || ' (' || detail || ')' AS text
     FROM operations WHERE ended_at IS NOT NULL`,
  );
  await add(
    7,
    `SELECT judged_at AS at, 'heal event: ' || CASE WHEN escalation THEN 'escalate' ELSE action END || ' ' || result ||
       coalesce(' (' || error_message || ')', '') AS text
     FROM operations WHERE judged_at IS NOT NULL ORDER BY event_id`,
  );
  await add(
    8,
    "SELECT closed_at AS at, 'incident ' || incident || ' closed: ' || outcome AS text FROM incidents WHERE closed_at IS NOT NULL",
  );
  await add(9, "SELECT opened_at AS at, 'notice opened: ' || kind AS text FROM notices ORDER BY opened_at");
  await add(9, "SELECT closed_at AS at, 'notice closed: ' || kind AS text FROM notices WHERE closed_at IS NOT NULL");
  const told = entries
    .map((entry) => ({ ...entry, tick: Math.floor((entry.atMs - beganAtMs) / GRAIN_MS) }))
    .toSorted((a, b) => a.tick - b.tick || a.atMs - b.atMs || a.rank - b.rank);
  return told.map(({ tick, text }) => `${clock((tick * GRAIN_MS) / 1000)} ${text}\n`).join('');
}

function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
}
