import type { JsonObject } from '../domain/json-value.ts';
import { neverAllowed, readAddress } from './egress-rules.ts';

/** What a target says, or every problem with it, each a full sentence. */
export type Read<T> = { ok: true; value: T } | { ok: false; problems: string[] };

const MAX_TARGET = 2048;

/** Reads a tcp target: a port as a decimal number from 1 to 65535. */
export function readPort(target: string | null): Read<number> {
  const text = target?.trim() ?? '';
  if (text === '') return problem('A tcp check needs a port as its target, for example "22".');
  if (!/^\d{1,5}$/.test(text) || !isPort(Number(text))) {
    return problem(`The target ${quoted(text)} is not a port: give a whole number from 1 to 65535.`);
  }
  return { ok: true, value: Number(text) };
}

/**
 * Reads an http target: a path at the VM's own address (`/` when there is none), or a http or https URL. Problems never
 * repeat the target: it may hold a password.
 */
export function readHttpTarget(target: string | null, address: string | null): Read<URL> {
  const text = target?.trim() || '/';
  if (text.length > MAX_TARGET) return problem(`The target is longer than ${MAX_TARGET} characters.`);
  if (text.startsWith('//'))
    return problem('The target must not begin with "//": give a path such as "/health" or a URL.');
  const isPath = text.startsWith('/');
  if (isPath && address === null) return problem("A path needs the VM's address: set it, or give the check a URL.");
  const url = parseUrl(isPath ? `http://${hostInUrl(address ?? '')}${text}` : text);
  if (url === null) return problem(isPath ? badAddress() : unreadable(text));
  const problems = isPath && !isPlainHost(address ?? '') ? [badAddress()] : urlProblems(url);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: url };
}

/** What keeps a URL from being looked at, whoever named it; also asked of every redirect. */
export function urlProblems(url: URL): string[] {
  const problems: string[] = [];
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    problems.push(
      `Only http and https URLs can be checked, not ${quoted(url.protocol)}; begin with "http://" or "https://".`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    problems.push('A URL must not contain a user name or password: it would be readable in settings and results.');
  }
  if (url.port === '0') problems.push('Port 0 is not a port: give a whole number from 1 to 65535.');
  return [...problems, ...hostProblems(hostOf(url))];
}

/** A literal host that no check may ever connect to; a name is judged when it is resolved. */
export function hostProblems(host: string): string[] {
  const ip = readAddress(host);
  const never = ip === null ? null : neverAllowed(ip);
  return never === null ? [] : [`The address ${ip} is ${never}, and no check may ever connect there.`];
}

/** The host of a URL as a resolver takes it: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** The port of a http or https URL, the scheme's own included. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** A sentence for every option that a kind of check does not know, or that is not true or false. */
export function optionProblems(type: string, options: JsonObject, known: readonly string[]): string[] {
  const choices = known.length === 0 ? 'It has none' : `It has: ${known.join(', ')}`;
  return Object.entries(options).flatMap(([name, value]) => {
    if (!known.includes(name)) return [`The ${type} check has no option ${quoted(name)}. ${choices}.`];
    return typeof value === 'boolean' ? [] : [`The option ${quoted(name)} must be true or false.`];
  });
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function hostInUrl(address: string): string {
  const ip = readAddress(address);
  if (ip === null) return address;
  return ip.kind() === 'ipv6' ? `[${ip}]` : ip.toString();
}

/** False when an address smuggled in a user, a port or a path of its own. */
function isPlainHost(address: string): boolean {
  return readAddress(address) !== null || !/[\s/\\?#@:]/.test(address);
}

function badAddress(): string {
  return "The VM's address is neither an IP address nor a host name: correct it.";
}

function unreadable(text: string): string {
  const port = /^[a-z]+:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i.exec(text)?.[1];
  if (port !== undefined && !isPort(Number(port)))
    return `Port ${excerptOf(port)} is not a port: give a whole number from 1 to 65535.`;
  return 'The target is neither a path such as "/health" nor a http or https URL.';
}

function problem(sentence: string): { ok: false; problems: string[] } {
  return { ok: false, problems: [sentence] };
}

function quoted(text: string): string {
  return JSON.stringify(excerptOf(text));
}

function excerptOf(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
