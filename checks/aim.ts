import { createHash } from 'node:crypto';
import type { Check, CheckSettings } from './check.ts';

/**
 * A check's aim, as a short hash: its type, target and options, and the host that it connects to, which may be the VM's
 * address. A check that has succeeded once with an aim is proven for it. Interval, timeout, thresholds and name are not part of
 * it. Of an unknown type only the settings count.
 */
export function aimOf(check: Check | undefined, settings: CheckSettings, address: string | null): string {
  const { checkType, target, options } = settings;
  const read = check?.readTarget(target, address);
  const host = (check && read?.ok && check.endpoint(read.value, address)?.host) || null;
  const set = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const aim = JSON.stringify([checkType, target || null, set, host]);
  return createHash('sha256').update(aim).digest('hex').slice(0, 32);
}
