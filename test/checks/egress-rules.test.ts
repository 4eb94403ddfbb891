import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../checks/address.ts';
import { type EgressContext, readAllowList, refusal } from '../../checks/egress-rules.ts';

const anywhere = readAllowList(['0.0.0.0/0', '::/0']);
const nobody: EgressContext = { allow: [], ownPorts: new Set(), ownAddresses: [], vmAddresses: [] };

function refusalOf(address: string, port: number | null, context: Partial<EgressContext>): string | null {
  const ip = readAddress(address);
  if (ip === null) throw new Error(`${address} is no address`);
  return refusal(ip, port, { ...nobody, ...context });
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

/** The IPv6 spellings under which an IPv4 address may be reached. */
const spellings = (bytes: number[]): string[] => {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const dotted = bytes.join('.');
  const words = `${hex(a)}${hex(b)}:${hex(c)}${hex(d)}`;
  return [
    dotted,
    `::ffff:${dotted}`,
    `::ffff:${words}`,
    `0:0:0:0:0:FFFF:${words}`,
    `::ffff:0:${words}`,
    `64:ff9b::${words}`,
    `2002:${words}::1`,
    `::${words}`,
  ];
};

const byte = fc.integer({ min: 0, max: 255 });
const port = fc.option(fc.integer({ min: 1, max: 65535 }));
const ordinaryIpv4 = fc
  .tuple(fc.constantFrom(10, 172, 192, 203, 8), byte, byte, byte)
  .map((bytes) => bytes.join('.'))
  .filter((ip) => ip !== '192.0.0.192');
const ordinaryIpv6 = fc
  .tuple(fc.constantFrom('fd12', '2a01', '2600'), fc.array(byte, { minLength: 14, maxLength: 14 }))
  .map(
    ([head, rest]) =>
      `${head}:${Array.from({ length: 7 }, (_, i) => hex(rest[2 * i]!) + hex(rest[2 * i + 1]!)).join(':')}`,
  );
const ordinary = fc.oneof(ordinaryIpv4, ordinaryIpv6);
const loopback = fc.oneof(
  fc.tuple(byte, byte, byte).map((rest) => `127.${rest.join('.')}`),
  fc.constantFrom('::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'),
);

describe('an address that no check may reach', () => {
  it('is refused in every spelling, on every port, whatever is allowed and whoever has it', () => {
    const never = fc.oneof(
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.integer({ min: 224, max: 239 }), byte, byte, byte),
      fc.tuple(fc.constant(0), byte, byte, byte),
      fc.constant([255, 255, 255, 255]),
    );
    fc.assert(
      fc.property(never, port, (bytes, onPort) => {
        for (const address of spellings([...bytes])) {
          expect(refusalOf(address, onPort, { allow: anywhere, vmAddresses: [address] })).toMatch(
            /^Refused: .*ever connect/,
          );
        }
      }),
    );
  });

  it.each([
    'fe80::1',
    'fe80::1%eth0',
    'febf:ffff::1',
    'ff02::1',
    '::',
    '0.0.0.0',
    'fd00:ec2::254',
    'fd20:ce::254',
    '168.63.129.16',
    '100.100.100.200',
    '64:ff9b::7f00:1',
    '64:ff9b::a83f:8110',
  ])('may be %s', (address) => {
    expect(refusalOf(address, 80, { allow: anywhere, vmAddresses: [address] })).toMatch(/^Refused: .*ever connect/);
  });
});

describe("Defib's own ports", () => {
  it('are refused on loopback and on every address of its machines, whatever is allowed', () => {
    fc.assert(
      fc.property(fc.oneof(loopback, ordinary), fc.integer({ min: 1, max: 65535 }), (address, own) => {
        const context = { allow: anywhere, ownPorts: new Set([own]), ownAddresses: [address], vmAddresses: [address] };
        expect(refusalOf(address, own, context)).toContain('belongs to Defib itself');
        expect(refusalOf(address, own === 1 ? 2 : own - 1, context)).toBeNull();
        expect(refusalOf(address, null, context)).toBeNull();
      }),
    );
  });

  it('are refused in the IPv6 spelling of an IPv4 address, and with a zone', () => {
    const context = { allow: anywhere, ownPorts: new Set([7233]), ownAddresses: ['10.0.0.1', 'fd12::1'] };
    expect(refusalOf('::ffff:10.0.0.1', 7233, context)).toContain('belongs to Defib itself');
    expect(refusalOf('fd12::1%eth0', 7233, context)).toContain('belongs to Defib itself');
  });

  it('are only numbers elsewhere', () => {
    fc.assert(
      fc.property(ordinary, (address) => {
        const context = { ownPorts: new Set([5432]), ownAddresses: ['10.255.255.254'], vmAddresses: [address] };
        fc.pre(address !== '10.255.255.254');
        expect(refusalOf(address, 5432, context)).toBeNull();
      }),
    );
  });
});

describe('any other address', () => {
  it("is cleared when it is the VM's, and refused when it is not and nothing allows it", () => {
    fc.assert(
      fc.property(ordinary, ordinary, port, (address, other, onPort) => {
        fc.pre(address !== other);
        expect(refusalOf(address, onPort, { vmAddresses: [other, address] })).toBeNull();
        expect(refusalOf(address, onPort, { vmAddresses: [other] })).toContain('CHECK_TARGETS_ALLOW');
      }),
    );
  });

  it('on loopback needs to be allowed, even as the address of the VM', () => {
    fc.assert(
      fc.property(loopback, port, (address, onPort) => {
        expect(refusalOf(address, onPort, { vmAddresses: [address] })).toContain('CHECK_TARGETS_ALLOW');
        expect(refusalOf(address, onPort, { allow: readAllowList(['127.0.0.0/8', '::1']) })).toBeNull();
      }),
    );
  });

  it('is not covered by what is allowed in the other family', () => {
    expect(refusalOf('10.0.0.1', 80, { allow: readAllowList(['::/0']) })).not.toBeNull();
    expect(refusalOf('fd12::1', 80, { allow: readAllowList(['0.0.0.0/0']) })).not.toBeNull();
  });
});

describe('CHECK_TARGETS_ALLOW', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.1.2.3/8', '10.255.0.1', '11.0.0.1'],
    ['192.168.1.5', '192.168.1.5', '192.168.1.6'],
    [' fd00::/8 ', 'fdff::1', '2a01::1'],
    ['::ffff:10.0.0.0/104', '10.9.9.9', '11.0.0.1'],
  ])('%s lets a check reach %s, and not %s', (entry, inside, outside) => {
    const allow = readAllowList([entry]);
    expect(refusalOf(inside, 80, { allow })).toBeNull();
    expect(refusalOf(outside, 80, { allow })).not.toBeNull();
  });

  it('names every entry it cannot read', () => {
    const read = () =>
      readAllowList(['10.0.0.0/8', '10/8', 'example.com', '10.0.0.0/33', '::1/129', '10.0.0.0/', '1/2/3']);
    expect(read).toThrow('10/8, example.com, 10.0.0.0/33, ::1/129, 10.0.0.0/, 1/2/3');
  });
});
