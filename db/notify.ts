import { sql } from 'drizzle-orm';
import type { Queryable } from './database.ts';

/** The NOTIFY channel for what people watch. Payloads are small JSON: a kind and ids, never contents. */
export const CHANNEL = 'defib';

export type Notification =
  | { kind: 'health'; vmId: string; tenantId: string; from: string; to: string; seq: number }
  | { kind: 'heal'; vmId: string; tenantId: string; operationId: string; result: string }
  | { kind: 'vm'; vmId: string; tenantId: string }
  | { kind: 'policies'; tenantId: string };

/** Notifies whoever listens, once the transaction commits. */
export async function notify(tx: Queryable, notification: Notification): Promise<void> {
  await tx.execute(sql`SELECT pg_notify(${CHANNEL}, ${JSON.stringify(notification)})`);
}
