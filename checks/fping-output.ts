/** What a line of fping's output is about. */
export interface FpingReport {
  address: string;
  /** `note` is about the address, but no verdict yet. */
  kind: 'alive' | 'silent' | 'not-sent' | 'note';
  latencyMs: number;
}

const ALIVE = /^(\S+) is alive \(([\d.]+) ms/;
const UNREACHABLE = /^(\S+) is unreachable/;
const SEND_ERROR = /^(\S+?): error while sending ping: (.+)/;
const ICMP_ERROR = /^ICMP .* for ICMP Echo sent to (\S+)/;
/** The kernel knows already that the neighbour is away; any other send error is the worker's own. */
const NEIGHBOUR_AWAY = /no route to host|host is (down|unreachable)/i;

/** What one line of `fping -e` says, on either stream (fping(8), tried with 5.1); null when it is about no address. */
export function readFpingLine(line: string): FpingReport | null {
  const alive = ALIVE.exec(line);
  if (alive) return reportOf(alive[1], 'alive', Number(alive[2]));
  const unreachable = UNREACHABLE.exec(line);
  if (unreachable) return reportOf(unreachable[1], 'silent');
  const sendError = SEND_ERROR.exec(line);
  if (sendError) return reportOf(sendError[1], NEIGHBOUR_AWAY.test(sendError[2] ?? '') ? 'silent' : 'not-sent');
  const icmpError = ICMP_ERROR.exec(line);
  return icmpError ? reportOf(icmpError[1], 'note') : null;
}

function reportOf(address: string | undefined, kind: FpingReport['kind'], latencyMs = 0): FpingReport {
  return { address: address ?? '', kind, latencyMs };
}
