/** The NOTIFY channel for what people watch. Payloads are small JSON: a kind and ids, never contents. */
export const CHANNEL = 'defib';

export type Notification =
  | { kind: 'health'; vmId: string; tenantId: string; from: string; to: string; seq: number }
  | { kind: 'heal'; vmId: string; tenantId: string; operationId: string; result: string }
  | { kind: 'vm'; vmId: string; tenantId: string }
  | { kind: 'policies'; tenantId: string };
