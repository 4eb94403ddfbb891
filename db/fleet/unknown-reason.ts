/**
 * Whether what is stored of a VM's health still holds, as SQL over v (vms) and s (vm_status). Computed when read, for
 * a dead worker can't write it. The limit is domain/recovery.ts's `watchLimitMs`.
 */
const WATCH_COLUMNS = `count(*)::int AS enabled, max(c.updated_at) AS changed_at,
  min(3 * c.interval_seconds + coalesce(c.timeout_seconds, least(10, c.interval_seconds))) AS limit_seconds`;

/** Adds w for the few VMs of a page. */
export const WATCH_OF_EACH = `LEFT JOIN LATERAL (
  SELECT ${WATCH_COLUMNS} FROM check_configs c WHERE c.vm_id = v.id AND c.enabled) w ON true`;

/** Adds w for all VMs at once. */
export const WATCH_OF_ALL = `LEFT JOIN (
  SELECT c.vm_id, ${WATCH_COLUMNS} FROM check_configs c WHERE c.enabled GROUP BY c.vm_id) w ON w.vm_id = v.id`;

export type UnknownReason = 'stopped-on-purpose' | 'paused' | 'no-checks' | 'not-watched';

/** Why a VM's health isn't known whatever is stored; null = the stored status holds. `now` is an SQL expression. */
export function unknownReason(now: string): string {
  return `CASE WHEN v.stopped_on_purpose_at IS NOT NULL THEN 'stopped-on-purpose'
    WHEN v.paused_at IS NOT NULL THEN 'paused'
    WHEN coalesce(w.enabled, 0) = 0 THEN 'no-checks'
    WHEN greatest(s.last_look_at, v.created_at, w.changed_at) < ${now} - make_interval(secs => w.limit_seconds)
    THEN 'not-watched' END`;
}

/** The status to answer. */
export function effectiveStatus(now: string): string {
  return `CASE WHEN (${unknownReason(now)}) IS NULL THEN s.status ELSE 'unknown' END`;
}
