import { HOLDS_INTERVALS } from '../../domain/conclusive.ts';
import { MAX_AHEAD_MS } from '../../domain/grid.ts';
import { DEFAULT_TIMEOUT_SECONDS } from '../../domain/watched.ts';

/**
 * Whether what is stored of a VM's health still holds, as SQL over v (vms) and s (vm_status). Computed when read, because a
 * dead worker can't write it. How long a check's result holds is `conclusionHoldsMs` in domain/conclusive.ts; each look stores
 * until when.
 */
const HOLDS_SECONDS = `${HOLDS_INTERVALS} * c.interval_seconds
  + coalesce(c.timeout_seconds, least(${DEFAULT_TIMEOUT_SECONDS}, c.interval_seconds))`;
const WATCH_COLUMNS = `count(*)::int AS enabled, max(c.updated_at) AS changed_at,
  min(${HOLDS_SECONDS}) AS limit_seconds, max(${HOLDS_SECONDS}) AS longest_seconds`;

/** Joins the columns as w, for the few VMs of a page. */
export const WATCH_OF_EACH = `LEFT JOIN LATERAL (
  SELECT ${WATCH_COLUMNS} FROM check_configs c WHERE c.vm_id = v.id AND c.enabled) w ON true`;

/** Joins the columns as w, for all VMs at once. */
export const WATCH_OF_ALL = `LEFT JOIN (
  SELECT c.vm_id, ${WATCH_COLUMNS} FROM check_configs c WHERE c.enabled GROUP BY c.vm_id) w ON w.vm_id = v.id`;

/** Why a VM's health isn't known whatever is stored; null = the stored status holds. `now` is an SQL expression. */
export function unknownReason(now: string): string {
  // one in the future was noted by a clock that was wrong, as domain/grid.ts's `plausibleTime` has it
  const plausible = (time: string) =>
    `CASE WHEN ${time} <= ${now} + interval '${MAX_AHEAD_MS} milliseconds' THEN ${time} END`;
  const changed = `${plausible('v.created_at')}, ${plausible('w.changed_at')}`;
  const watchedAt = `coalesce(greatest(${plausible('s.last_look_at')}, ${changed}), '-infinity')`;
  const toldFrom = `greatest(${plausible('v.started_at')}, ${changed})`;
  return `CASE WHEN v.stopped_on_purpose_at IS NOT NULL THEN 'stopped-on-purpose'
    WHEN v.paused_at IS NOT NULL THEN 'paused'
    WHEN coalesce(w.enabled, 0) = 0 THEN 'no-checks'
    WHEN ${watchedAt} < ${now} - make_interval(secs => w.limit_seconds)
    THEN 'not-watched'
    WHEN coalesce(s.conclusive_until, ${toldFrom} + make_interval(secs => w.longest_seconds), '-infinity') < ${now}
    THEN 'cannot-tell' END`;
}

/** Why a VM's checks can't tell how it is: the first reason of its last look, which is one of a check that is about `alive`. */
export const CANNOT_TELL_WHY = `coalesce(s.reasons->0->>'reason', 'not-conclusive')`;

/** The status that is shown: `paused`, or `unknown` where the stored one does not hold. */
export function effectiveStatus(now: string): string {
  return shownStatus(unknownReason(now), 's.status');
}

/** The status that is shown, of two SQL expressions. */
export function shownStatus(reason: string, status: string): string {
  return `CASE ${reason} WHEN 'paused' THEN 'paused' ELSE CASE WHEN (${reason}) IS NULL THEN ${status} ELSE 'unknown' END END`;
}
