import type { Pool } from 'pg';

/** Means over one step; null where no report of it had that measure. */
export interface MeasurementPoint {
  at: Date;
  cpu: number | null;
  ram: number | null;
  disk: number | null;
  /** The highest, in seconds. */
  uptime: number | null;
  samples: number;
}

/** A VM's measurements in steps that begin at `fromMs`, oldest first; steps without reports are left out. */
export async function findMeasurements(
  pool: Pool,
  vmId: string,
  range: { fromMs: number; untilMs: number; stepSeconds: number; startMs: number; limit: number },
): Promise<MeasurementPoint[]> {
  const { rows } = await pool.query<MeasurementPoint>(
    `SELECT date_bin(make_interval(secs => $4), at, $2::timestamptz) AS at, avg(cpu_percent) AS cpu, avg(ram_percent) AS ram,
       avg(disk_percent) AS disk, max(uptime_seconds) AS uptime, count(*)::int AS samples
     FROM vm_metrics WHERE vm_id = $1 AND at >= $5 AND at < $3 GROUP BY 1 ORDER BY 1 LIMIT $6`,
    [vmId, new Date(range.fromMs), new Date(range.untilMs), range.stepSeconds, new Date(range.startMs), range.limit],
  );
  return rows;
}
