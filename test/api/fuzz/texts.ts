import fc from 'fast-check';
import { CHECK_TYPES } from '../../../checks/registry.ts';
import { oddNumber, oddText } from './odd.ts';
import { cursorOf, reference } from './references.ts';
import type { TextFor } from './schema-values.ts';

const own = (kind: Parameters<typeof reference>[1]) => reference('own', kind);
const other = (kind: Parameters<typeof reference>[1]) => reference('other', kind);

/** Ids of each kind of thing, mostly the caller's own. */
export const vmReference = fc.oneof(
  { weight: 15, arbitrary: own('vm') },
  { weight: 2, arbitrary: own('externalId') },
  { weight: 2, arbitrary: other('vm') },
  { weight: 1, arbitrary: other('externalId') },
  { weight: 1, arbitrary: fc.uuid() },
);
const idOf = (kind: Parameters<typeof reference>[1]) =>
  fc.oneof(
    { weight: 8, arbitrary: own(kind) },
    { weight: 2, arbitrary: other(kind) },
    { weight: 1, arbitrary: fc.uuid() },
  );

const ms = fc.oneof(fc.integer({ min: 1_700_000_000_000, max: 2_000_000_000_000 }), oddNumber);
const MINUTES_OF_TWO_DAYS = 2_880;
const instant = fc.oneof(
  { weight: 12, arbitrary: fc.nat(MINUTES_OF_TWO_DAYS).map((minutes) => `⟦ago ${minutes}⟧`) },
  { weight: 1, arbitrary: ms.map((at) => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('2027-02-31T00:00:00Z', 'banana 2027', '2026-11-22T08:00:00+01:00', '1790000000'),
  },
);
const address = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(fc.constant('192.0.2.7'), fc.domain(), fc.constant('2001:db8::7')) },
  { weight: 1, arbitrary: fc.oneof(fc.ipV4(), fc.ipV6()) },
  { weight: 1, arbitrary: fc.constantFrom('127.1', '0xa9fea9fe', '..', '_', '--help', '::ffff:169.254.169.254') },
);
const target = fc.oneof(
  fc.constantFrom('/', '/health', '22', '443', 'http://192.0.2.7/', '//a', 'http://[::1]:7233/', 'file:///etc/passwd'),
  fc.webUrl(),
  fc.webPath(),
);
const key = fc.oneof(own('vm'), other('vm'), fc.uuid(), ms, fc.integer(), oddText);
const cursor = fc.oneof(
  { weight: 4, arbitrary: cursorOf(fc.tuple(own('vm'))) },
  { weight: 3, arbitrary: cursorOf(fc.array(key, { minLength: 1, maxLength: 2 })) },
  { weight: 1, arbitrary: cursorOf(fc.jsonValue({ maxDepth: 1 })) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 40 }) },
);
const measure = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('12,5', '40 %', ' 7 ') },
  { weight: 1, arbitrary: fc.constantFrom('NaN', '1e999', '%') },
);
/** Carries the mark of its tenant, so that it is noticed in an answer to the other one. */
const markedText = fc
  .tuple(own('mark'), fc.string({ unit: 'grapheme-composite', maxLength: 8 }))
  .map((parts) => parts.join(' '));

const TEXTS: Record<string, fc.Arbitrary<string>> = {
  // of a policy
  id: idOf('policy'),
  vmId: vmReference,
  instance: idOf('provider'),
  cursor,
  address,
  target,
  timestamp: instant,
  expiresAt: fc.oneof(fc.constantFrom('2099-01-01T00:00:00Z', '4083955200'), instant),
  from: instant,
  to: instant,
  site: fc.constant('main'),
  tenantId: fc.constantFrom('default', 'nobody', '-'),
  qmpSocket: fc.oneof(
    fc.tuple(own('mark'), fc.nat(1_000)).map(([mark, number]) => `⟦sockets⟧/${mark}-${number}.sock`),
    fc.constantFrom('/etc/passwd', '⟦sockets⟧/../x', '⟦sockets⟧', 'relative'),
  ),
  tag: fc.oneof(own('mark'), fc.constantFrom('prod', 'test')),
  tags: fc.oneof(own('mark'), fc.constantFrom('prod', 'test')),
  status: fc.constantFrom('HEALTHY', 'warning', 'DOWN', 'UNKNOWN', 'PAUSED', 'ILL'),
  q: fc.oneof(fc.constantFrom('vm', '%', '_', '\\'), own('mark'), other('mark')),
  name: fc.oneof({ weight: 5, arbitrary: markedText }, { weight: 1, arbitrary: fc.constant('') }),
  options: fc.constantFrom('followRedirects', 'verifyTls', 'shell'),
  cpu: measure,
  ram: measure,
  memory: measure,
  disk: measure,
  uptime: measure,
};

/** Text as the field of this name wants it, seldom as somebody might not have thought of. */
export const textFor: TextFor = (field, maxLength) => {
  const usual = TEXTS[field] ?? markedText;
  return fc.oneof(
    { weight: 80, arbitrary: usual.map((given) => (given.includes('⟦') ? given : given.slice(0, maxLength))) },
    { weight: 1, arbitrary: oddText },
  );
};

/** What stands in a path, by the parameter's name. */
export const PARAMETERS: Record<string, fc.Arbitrary<string>> = {
  id: vmReference,
  policyId: idOf('policy'),
  tokenId: idOf('token'),
  tenantId: idOf('tenant'),
  providerId: fc.oneof(idOf('provider'), fc.constantFrom('environment:qemu', 'environment:local', 'environment:x')),
  checkType: fc.constantFrom(...CHECK_TYPES, 'snmp'),
};
