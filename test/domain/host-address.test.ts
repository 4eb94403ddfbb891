import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostAddressProblem } from '../../domain/host-address.ts';

describe('The address of a machine', () => {
  it.each([
    '192.0.2.7',
    '0.0.0.0',
    '255.255.255.255',
    '2001:db8::7',
    '::1',
    '::',
    '1:2:3:4:5:6:7::',
    '::ffff:192.0.2.7',
    'fe80::1%eth0',
    'localhost',
    'web-1',
    'WEB-1.example.com.',
    '3com.example',
    '1.2.3.4.example',
    'xn--bcher-kva.example',
    'r1---sn-4g5e6nzz.example',
    'my_stack_web_1',
    'a',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
  ])('may be %j', (text) => expect(hostAddressProblem(text)).toBeNull());

  it.each([
    '',
    '.',
    '..',
    '_',
    '-',
    '--help',
    '-w',
    'web-',
    '_web',
    'web_',
    'a..b',
    '.a',
    'a..',
    '2852039166',
    '0xa9fea9fe',
    '127.1',
    '127.0.1',
    '127.0.0.0x1',
    '0x7f.1',
    '1.2.3.4.',
    '1.2.3.4.5',
    '256.0.0.1',
    '010.0.0.1',
    '1.2.3',
    'example.123',
    'example.0x',
    'a b',
    'a\n',
    'a/b',
    'user@host',
    'bücher.example',
    '１２７.0.0.1',
    'localhost:80',
    'http://a',
    '[::1]',
    ':::',
    '1::2::3',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '::1.2.3',
    '1.2.3.4::',
    '%eth0',
    'a%eth0',
    'a'.repeat(64),
    `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`,
  ])('may not be %j', (text) => expect(hostAddressProblem(text)).toMatch(/^must /));

  it('says what is wrong', () => {
    expect(hostAddressProblem('127.1')).toContain('four decimal parts');
    expect(hostAddressProblem('[::1]')).toContain('without brackets');
    expect(hostAddressProblem('_')).toContain('host name');
  });

  it('is an IP address whenever Node takes it for one', () => {
    const nearlyIp = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-f:.]{0,40}$/),
      fc
        .tuple(fc.ipV6(), fc.nat(40), fc.constantFrom(':', '0', '.'))
        .map(([ip, at, one]) => ip.slice(0, at) + one + ip.slice(at)),
    );
    fc.assert(
      fc.property(nearlyIp, (text) => {
        if (isIP(text) !== 0 || text.includes(':')) expect(hostAddressProblem(text) === null).toBe(isIP(text) !== 0);
      }),
      { numRuns: 5_000 },
    );
  });
});
