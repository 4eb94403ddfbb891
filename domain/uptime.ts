/** Results of checks over some time. */
export interface ResultCounts {
  total: number;
  healthy: number;
  unhealthy: number;
}

export interface Uptime {
  /** Of the conclusive results, in percent with two decimals, e.g. "99.98"; null when there are none. */
  percentage: string | null;
  /** Results that say neither healthy nor unhealthy: no conclusion, so they count neither way. */
  inconclusive: number;
}

/** How much of the time a VM was healthy, by its checks' conclusive results. */
export function uptimeOf({ total, healthy, unhealthy }: ResultCounts): Uptime {
  const conclusive = healthy + unhealthy;
  const percentage = conclusive === 0 ? null : ((100 * healthy) / conclusive).toFixed(2);
  return { percentage, inconclusive: total - conclusive };
}
