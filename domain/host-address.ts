const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);
const IPV4_AT_END = /(?<=:)[\d.]*\.[\d.]*$/;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;
const ZONE = /%[\w.-]+$/;

/** RFC 1123 2.1, and underscores inside: names of containers and of Windows machines have them. */
const LABEL = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/i;
const MAX_LABEL_LENGTH = 63;
const MAX_LENGTH = 253;
/** inet_aton(3) reads a name that ends so as an IPv4 address: 127.1, 0xa9fea9fe. */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/i;

/**
 * What keeps a text from being the address of a machine, as the end of "the address …"; null when it is one: an IPv4 address in
 * four decimal parts, an IPv6 address (RFC 4291, with or without a zone), or a host name (RFC 1123, and RFC 5891 for names in
 * other scripts: written as `xn--…`). Labels like `r1---sn`, which RFC 5890 reserves, are names: such machines exist.
 */
export function hostAddressProblem(text: string): string | null {
  // first, because patterns on a text of any length may take minutes
  if (text.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  if (IPV4.test(text) || isIpv6(text.replace(ZONE, ''))) return null;
  if (text.includes(':')) return 'must be an IP address or a host name, without brackets, port or scheme';
  const labels = text.replace(/\.$/, '').split('.');
  const last = labels.at(-1) ?? '';
  if (NUMBER.test(last)) return 'must be a whole IPv4 address in four decimal parts, such as 192.0.2.7, or a host name';
  if (labels.every((label) => label.length <= MAX_LABEL_LENGTH && LABEL.test(label))) return null;
  return 'must be an IP address or a host name: letters, digits, and inside of its parts - and _; other scripts as xn--…';
}

function isIpv6(text: string): boolean {
  const inHex = text.replace(IPV4_AT_END, (last) => (IPV4.test(last) ? '0:0' : last));
  const [before = '', after, more] = inHex.split('::');
  const groups = [before, after ?? ''].flatMap((part) => (part === '' ? [] : part.split(':')));
  const isWhole = after === undefined ? groups.length === 8 : groups.length < 8 && more === undefined;
  return isWhole && groups.every((group) => IPV6_GROUP.test(group));
}
