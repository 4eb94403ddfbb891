import { asMs } from '../sql-times.ts';

/** What the heal of incident i (incidents) decided last, as domain/incident.ts's `LastStep`, in SQL. */
export const LAST_STEP = `(
  SELECT json_build_object('kind', h.kind, 'reason', h.reason, 'sentence', h.decision->>'sentence', 'wouldChange',
    h.decision->>'wouldChange', 'lookAgainInMs', (h.decision->>'lookAgainInMs')::float8, 'decidedAtMs', ${asMs('h.last_seen_at')})
  FROM heal_steps h WHERE h.vm_id = i.vm_id AND h.incident = i.incident ORDER BY h.step DESC LIMIT 1)`;

/** The attempt of incident i (incidents) that was begun last, as domain/incident.ts's `LastOperation`, in SQL. */
export const LAST_OPERATION = `(
  SELECT json_build_object('action', o.action, 'attempt', o.attempt, 'state', o.state, 'result', o.result, 'intendedAtMs',
    ${asMs('o.intended_at')}, 'endedAtMs', ${asMs('o.ended_at')}, 'verifyMs', o.verify_ms)
  FROM operations o WHERE o.vm_id = i.vm_id AND o.incident = i.incident ORDER BY o.intended_at DESC, o.attempt DESC LIMIT 1)`;
