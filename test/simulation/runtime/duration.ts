const UNITS_MS: Record<string, number> = { s: 1_000, second: 1_000, minute: 60_000, hour: 3_600_000 };

/** A duration as options of workflows and failures give it, in ms. @throws Error for one that they never use */
export function inMs(duration: string | number | undefined | null): number | undefined {
  if (duration === undefined || duration === null) return undefined;
  if (typeof duration === 'number') return duration;
  const [, count, unit] = /^(\d+) ?([a-z]+?)s?$/.exec(duration) ?? [];
  const unitMs = UNITS_MS[unit ?? ''];
  if (count === undefined || unitMs === undefined) throw new Error(`no duration: ${duration}`);
  return Number(count) * unitMs;
}
