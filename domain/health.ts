/** How well a VM or a check is, in the words that Defib uses inside. */
export type HealthStatus = 'unknown' | 'healthy' | 'degraded' | 'unhealthy';

/** The same as people are shown it: of a VM that is paused nothing else is said. */
export type ShownStatus = HealthStatus | 'paused';

/** Values that scripts of older systems read, as `/api/vms` and `/api/status` answer them; PAUSED is new to those. */
export type LegacyStatus = 'HEALTHY' | 'WARNING' | 'DOWN' | 'UNKNOWN' | 'PAUSED';

const LEGACY: Record<ShownStatus, LegacyStatus> = {
  healthy: 'HEALTHY',
  degraded: 'WARNING',
  unhealthy: 'DOWN',
  unknown: 'UNKNOWN',
  paused: 'PAUSED',
};

/** Translates an internal value to the legacy one. */
export function toLegacyStatus(status: ShownStatus): LegacyStatus {
  return LEGACY[status];
}

const SEVERITY: Record<HealthStatus, number> = { unknown: 0, healthy: 1, degraded: 2, unhealthy: 3 };

/**
 * A VM is the worst of its checks. Checks without an answer yet say nothing; a VM is `unknown` only while none of its
 * checks has answered.
 */
export function worstOf(statuses: Iterable<HealthStatus>): HealthStatus {
  let worst: HealthStatus = 'unknown';
  for (const status of statuses) if (SEVERITY[status] > SEVERITY[worst]) worst = status;
  return worst;
}
