import { neverAllowed, readAddress } from './address.ts';

/** What a target says, or every problem with it, each a full sentence. */
export type Read<T> = { ok: true; value: T } | { ok: false; problems: string[] };

/** A target with one problem. */
export function unreadable(problem: string): { ok: false; problems: string[] } {
  return { ok: false, problems: [problem] };
}

/** Reads the target of a check that takes none. */
export function noTarget(type: string): (target: string | null) => Read<null> {
  return (target) =>
    target === null || target === ''
      ? { ok: true, value: null }
      : unreadable(`The ${type} check takes no target: leave it out.`);
}

/** What keeps a check that connects to the VM's own address from doing so. */
export function addressProblems(type: string, address: string | null): string[] {
  return address === null
    ? [`A ${type} check needs the VM's address, and this VM has none: set it.`]
    : hostProblems(address);
}

/** A literal host that no check may ever connect to; a name is judged when it is resolved. */
export function hostProblems(host: string): string[] {
  const ip = readAddress(host);
  const never = ip === null ? null : neverAllowed(ip);
  return never === null ? [] : [`The address ${ip} is ${never}, and no check may ever connect there.`];
}

/** Whether a whole number is a port that can be connected to. */
export function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}

/** A text in quotation marks, as JSON writes it; a long one is cut. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

/** At most 60 characters of a text. */
export function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
