import { randomBytes } from 'node:crypto';

const MOST_IN_A_MILLISECOND = 0xfff;
let lastMs = 0;
let counter = 0;

/**
 * A UUID of version 7 (RFC 9562, with a counter as in its method 1): later ones of a process sort after earlier ones, so
 * that lists page in order of age.
 */
export function timeOrderedId(nowMs: number): string {
  counter = nowMs === lastMs ? Math.min(counter + 1, MOST_IN_A_MILLISECOND) : 0;
  lastMs = nowMs;
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
