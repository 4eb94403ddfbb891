import { readAddress } from './address.ts';
import { cut, hostProblems, isPort, quoted, type Read, unreadable } from './target.ts';

const MAX_TARGET_LENGTH = 2048;

/**
 * Reads an http target: a path at the VM's own address (`/` when there is none), or a http or https URL. Problems never
 * repeat the target: it may hold a password.
 */
export function readHttpTarget(target: string | null, address: string | null): Read<URL> {
  const text = target?.trim() || '/';
  if (text.length > MAX_TARGET_LENGTH) return unreadable(`The target is longer than ${MAX_TARGET_LENGTH} characters.`);
  if (text.startsWith('//')) {
    return unreadable('The target must not begin with "//": give a path such as "/health" or a URL.');
  }
  const isPath = text.startsWith('/');
  if (isPath && address === null) return unreadable("A path needs the VM's address: set it, or give the check a URL.");
  const url = parseUrl(isPath ? `http://${hostInUrl(address ?? '')}${text}` : text);
  if (url === null) return unreadable(isPath ? BAD_ADDRESS : whyNoUrl(text));
  const problems = isPath && !isPlainHost(address ?? '') ? [BAD_ADDRESS] : urlProblems(url);
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

/** The host of a URL as a resolver takes it: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** The port of a http or https URL, the scheme's own included. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

const BAD_ADDRESS = "The VM's address is neither an IP address nor a host name: correct it.";

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

function whyNoUrl(text: string): string {
  const port = /^[a-z]+:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i.exec(text)?.[1];
  if (port !== undefined && !isPort(Number(port))) {
    return `Port ${cut(port)} is not a port: give a whole number from 1 to 65535.`;
  }
  return 'The target is neither a path such as "/health" nor a http or https URL.';
}
