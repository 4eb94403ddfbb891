import { type AddressRange, covers, type Ip, readRange } from './address.ts';

/** An entry of CHECK_TARGETS_ALLOW: addresses, and the ports on them; null = any port. */
export interface AllowedTarget {
  range: AddressRange;
  ports: readonly [first: number, last: number] | null;
}

/**
 * Reads CHECK_TARGETS_ALLOW: `10.0.0.0/8`, `10.1.2.3:443`, `127.0.0.1:20000-60999`, `[fd00::/8]:80`.
 * @throws one error that names every entry that can't be read
 */
export function readAllowList(entries: readonly string[]): AllowedTarget[] {
  const read = entries.map((entry) => readTarget(entry.trim()));
  const wrong = entries.filter((_, index) => read[index] === null);
  if (wrong.length > 0) {
    throw new Error(
      `CHECK_TARGETS_ALLOW: not an address, a CIDR, or one of them with ports: ${wrong.join(', ')}. Write them like 10.0.0.0/8, 127.0.0.1:20000-60999, [fd00::/8]:443.`,
    );
  }
  return read.filter((target) => target !== null);
}

function readTarget(text: string): AllowedTarget | null {
  const plain = readRange(text);
  if (plain !== null) return { range: plain, ports: null };
  const [, inBrackets, bare, first = '', last = first] =
    /^(?:\[([^\]]+)\]|([^[\]:]+)):(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = readRange(inBrackets ?? bare ?? '');
  const ports = [Number(first), Number(last)] as const;
  return range !== null && ports[0] >= 1 && ports[0] <= ports[1] && ports[1] <= 65_535 ? { range, ports } : null;
}

/** Whether the list lets checks connect there. `port` is null for ICMP, which any entry with the address allows. */
export function isAllowed(list: readonly AllowedTarget[], ip: Ip, port: number | null): boolean {
  return list.some(({ range, ports }) => covers(range, ip) && (ports === null || isBetween(port, ports)));
}

/** The same, by entries that name ports alone: a whole network is soon allowed without a thought of what else is in it. */
export function isAllowedByPort(list: readonly AllowedTarget[], ip: Ip, port: number | null): boolean {
  return isAllowed(
    list.filter(({ ports }) => ports !== null),
    ip,
    port,
  );
}

function isBetween(port: number | null, [first, last]: readonly [number, number]): boolean {
  return port === null || (port >= first && port <= last);
}
