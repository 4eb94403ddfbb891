import { createHash } from 'node:crypto';
import type { Check, CheckSettings } from './check.ts';

/**
 * What a check is aimed at, as a short hash: its type, target and options, and the host that it connects to, which is the VM's
 * address where it uses that. A check that has succeeded once with an aim is proven for it; its interval, timeout, thresholds and
 * name are no part of it. An unknown type is aimed by what is set alone.
 */
export function aimOf(check: Check | undefined, settings: CheckSettings, address: string | null): string {
  const { checkType, target, options } = settings;
  const read = check?.readTarget(target, address);
  const host = (check && read?.ok && check.endpoint(read.value, address)?.host) || null;
  const set = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const aim = JSON.stringify([checkType, target || null, set, host]);
  return createHash('sha256').update(aim).digest('hex').slice(0, 32);
}
