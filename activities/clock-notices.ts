import { recordNoticeClosed, recordNotices, recordUnrenewedNoticesClosed } from '../db/notices/notices.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

const KIND = 'clock-wrong';
/** A worker reports a wrong clock once a minute; after this time without a report it is gone. */
const UNRENEWED_MS = 5 * 60_000;

/** Opens or renews the notice that the clock of a worker's machine is wrong by `offsetMs`, or (0) closes it. */
export async function noticeClock(deps: Needed, machine: string, offsetMs: number): Promise<void> {
  const { database, log, now } = deps;
  const subject = `machine/${machine}`;
  if (offsetMs === 0) {
    if (await recordNoticeClosed(database.orm, KIND, subject, now())) log.warn({ notice: KIND, subject }, 'is over');
    return;
  }
  const seconds = Math.abs(offsetMs / 1000).toFixed(1);
  const message = `The clock of worker machine ${machine} is ${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the database's. Its worker goes by the database's; set the clock, and see that NTP runs.`;
  const notice = { kind: KIND, subject, tenantId: null, vmId: null, message };
  if ((await recordNotices(database.orm, [notice], now())).length > 0) log.error({ notice: KIND, subject }, message);
}

/** Closes the notices of machines whose worker doesn't run any more. */
export async function closeClockNotices({ database, log, now }: Needed): Promise<void> {
  for (const { subject } of await recordUnrenewedNoticesClosed(database.orm, KIND, now() - UNRENEWED_MS, now())) {
    log.warn({ notice: KIND, subject }, 'is over: its worker is gone');
  }
}
