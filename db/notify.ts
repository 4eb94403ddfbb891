import { sql } from 'drizzle-orm';
import { CHANNEL, type Notification } from './channel.ts';
import type { Queryable } from './database.ts';

/** Tells whoever listens, once the transaction commits. */
export async function notify(tx: Queryable, notification: Notification): Promise<void> {
  await tx.execute(sql`SELECT pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`);
}
