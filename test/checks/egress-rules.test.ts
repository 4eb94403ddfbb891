import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress, readRange } from '../../checks/address.ts';
import { readAllowList } from '../../checks/allowed-targets.ts';
import { type EgressContext, readRanges, refusal } from '../../checks/egress-rules.ts';

const anywhere = readAllowList(['0.0.0.0/0', '::/0']);
const nobody: EgressContext = {
  allow: [],
  ownPorts: new Set(),
  machineAddresses: [],
  ownAddresses: [],
  ownRanges: [],
  adminsReachThisMachine: false,
  byAdmin: false,
  tenantRanges: [],
  vmAddresses: [],
};

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
    '192.0.0.192',
    '100.100.100.200',
    '64:ff9b::7f00:1',
    '64:ff9b::a83f:8110',
  ])('may be %s', (address) => {
    expect(refusalOf(address, 80, { allow: anywhere, vmAddresses: [address] })).toMatch(/^Refused: .*ever connect/);
  });
});

const everyPort = readAllowList(['0.0.0.0/0:1-65535', '[::/0]:1-65535']);

describe("Defib's own ports", () => {
  it('are refused on loopback and on every address of its machines, whatever is allowed', () => {
    fc.assert(
      fc.property(fc.oneof(loopback, ordinary), fc.integer({ min: 1, max: 65535 }), (address, own) => {
        for (const machine of [{ machineAddresses: [address] }, { ownAddresses: [address] }]) {
          const context = { allow: everyPort, ownPorts: new Set([own]), ...machine, vmAddresses: [address] };
          const all = { ...context, byAdmin: true, adminsReachThisMachine: true };
          expect(refusalOf(address, own, all)).toContain('belongs to Defib itself');
          expect(refusalOf(address, own === 1 ? 2 : own - 1, context)).toBeNull();
          expect(refusalOf(address, null, context)).toBeNull();
        }
      }),
    );
  });

  it('are refused in the IPv6 spellings of an IPv4 address, and with a zone', () => {
    const context = { allow: everyPort, ownPorts: new Set([7233]), ownAddresses: ['10.0.0.1', 'fd12::1'] };
    for (const address of spellings([10, 0, 0, 1])) {
      expect(refusalOf(address, 7233, context), address).toContain('belongs to Defib itself');
    }
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

describe("Defib's own machines", () => {
  const machines = {
    machineAddresses: ['10.0.0.1'],
    ownAddresses: ['10.0.0.2'],
    ownRanges: [readRange('10.9.0.0/16')!],
  };
  const addresses = ['127.0.0.1', '::1', '10.0.0.1', '10.0.0.2', '10.9.1.1', '64:ff9b::10.9.1.1', '2002:0a09:0101::1'];

  it('are refused on every port, whatever network is allowed, and as the address of the VM', () => {
    fc.assert(
      fc.property(fc.constantFrom(...addresses), port, (address, onPort) => {
        const context = {
          ...machines,
          allow: anywhere,
          tenantRanges: readRanges(['0.0.0.0/0']),
          vmAddresses: [address],
        };
        for (const byAdmin of [false, true]) {
          expect(refusalOf(address, onPort, { ...context, byAdmin })).toMatch(
            /in CHECK_TARGETS_ALLOW, like \S+:\d+\.$/,
          );
        }
      }),
    );
  });

  it('are reached on the ports that an entry names with the address, and on no others', () => {
    const allow = readAllowList(['10.0.0.1:8080', '10.9.0.0/16:20000-60999', '[::1]:443']);
    const context = { ...machines, allow };
    expect(refusalOf('10.0.0.1', 8080, context)).toBeNull();
    expect(refusalOf('10.0.0.1', 8081, context)).not.toBeNull();
    expect(refusalOf('10.0.0.2', 8080, context)).not.toBeNull();
    for (const one of [20_000, 45_000, 60_999]) expect(refusalOf('10.9.3.3', one, context)).toBeNull();
    for (const one of [19_999, 61_000]) expect(refusalOf('10.9.3.3', one, context)).not.toBeNull();
    expect(refusalOf('::1', 443, context)).toBeNull();
    expect(refusalOf('::1', null, context)).toBeNull();
    expect(refusalOf('127.0.0.1', null, context)).not.toBeNull();
  });

  it('are open, this one alone, to what administrators set where all of Defib is on it', () => {
    const onOne = { ...machines, adminsReachThisMachine: true };
    for (const address of ['127.0.0.1', '::1', '10.0.0.1']) {
      expect(refusalOf(address, 80, { ...onOne, byAdmin: true })).toBeNull();
      expect(refusalOf(address, null, { ...onOne, byAdmin: true })).toBeNull();
      expect(refusalOf(address, 80, { ...onOne, vmAddresses: [address] })).toContain('an administrator set');
      expect(refusalOf(address, 80, { ...machines, byAdmin: true })).not.toBeNull();
    }
    expect(refusalOf('10.0.0.2', 80, { ...onOne, byAdmin: true })).not.toBeNull();
  });
});

describe('what an operator gives to a tenant', () => {
  const tenantRanges = readRanges(['10.20.0.0/16', 'fd20::5']);

  it('is reached whatever the VM’s address is, and nothing else is, the VM’s own address included', () => {
    expect(refusalOf('10.20.3.4', 80, { tenantRanges })).toBeNull();
    expect(refusalOf('fd20::5', null, { tenantRanges })).toBeNull();
    expect(refusalOf('10.30.0.1', 80, { tenantRanges, vmAddresses: ['10.30.0.1'] })).toContain('an operator gives');
  });

  it('is all that its administrators reach too: this machine where it is given, and not else', () => {
    const onOne = { adminsReachThisMachine: true, byAdmin: true, tenantRanges };
    expect(refusalOf('127.0.0.1', 80, onOne)).toContain('an operator gives');
    expect(refusalOf('127.0.0.1', 80, { ...onOne, tenantRanges: readRanges(['127.0.0.0/8']) })).toBeNull();
    expect(refusalOf('127.0.0.1', 80, { ...onOne, tenantRanges: [] })).toBeNull();
  });

  it('does not lessen what the installation allows, nor lead to where no check may connect', () => {
    expect(refusalOf('10.30.0.1', 80, { tenantRanges, allow: readAllowList(['10.30.0.1:80']) })).toBeNull();
    const all = readRanges(['0.0.0.0/0', '::/0']);
    expect(refusalOf('169.254.169.254', 80, { tenantRanges: all })).toContain('ever connect');
    expect(refusalOf('127.0.0.1', 80, { tenantRanges: all })).not.toBeNull();
  });
});

describe('an IPv4 address inside an IPv6 one', () => {
  it.each([
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64, 96 bits', '64:ff9b:1::7f00:1'],
    ['local NAT64, 48 bits', '64:ff9b:1:7f00:0:100::'],
    ['local NAT64, 56 bits', '64:ff9b:1:aa7f:0:1:808:808'],
    ['local NAT64, 64 bits', '64:ff9b:1:aabb:7f:0:108:808'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo, its server', '2001:0:7f00:1::1'],
    ['Teredo, its client', '2001:0:808:808:0:0:80ff:fffe'],
    ['ISATAP', '2a01::5efe:7f00:1'],
    ['ISATAP, a global one', '2a01::200:5efe:7f00:1'],
    ['IPv4-compatible', '::7f00:1'],
  ])('is loopback by %s, and never reached', (_how, address) => {
    const open = { allow: everyPort, vmAddresses: [address], byAdmin: true, adminsReachThisMachine: true };
    expect(refusalOf(address, 80, open)).toContain('embedded in an IPv6 address, and no check may ever connect');
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
        expect(refusalOf(address, onPort, { allow: anywhere })).toContain('CHECK_TARGETS_ALLOW');
        expect(refusalOf(address, onPort, { allow: everyPort })).toBeNull();
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

  it.each([
    ['10.0.0.5:443', '10.0.0.5', 443, 444],
    ['10.0.0.0/8:1-1023', '10.1.1.1', 1023, 1024],
    ['[fd00::/8]:80-81', 'fd01::1', 81, 82],
    ['[fd00::1]:80', 'fd00::1', 80, 81],
    ['[10.0.0.5]:443', '10.0.0.5', 443, 444],
  ])('%s lets a check reach %s on port %i, and not on %i', (entry, address, inside, outside) => {
    const allow = readAllowList([entry]);
    expect(refusalOf(address, inside, { allow })).toBeNull();
    expect(refusalOf(address, null, { allow })).toBeNull();
    expect(refusalOf(address, outside, { allow })).not.toBeNull();
  });

  it('names every entry it cannot read', () => {
    const wrong =
      '10/8, example.com, 10.0.0.0/33, ::1/129, 10.0.0.0/, 1/2/3, 10.0.0.1:0, 10.0.0.1:9-8, 10.0.0.1:65536, [::1, ::1]:80, 10.0.0.1:, example.com:80, fd00::/8:80';
    expect(() => readAllowList(['10.0.0.0/8', ...wrong.split(', ')])).toThrow(`: ${wrong}. Write them like`);
  });
});
