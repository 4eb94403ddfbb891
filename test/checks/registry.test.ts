import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CheckSettings, defineCheck } from '../../checks/check.ts';
import {
  CHECK_TYPES,
  checkProblems,
  OPTIONS_IN_WORDS,
  TARGETS_IN_WORDS,
  targetRefusal,
} from '../../checks/registry.ts';
import type { JsonObject, JsonValue } from '../../domain/json-value.ts';
import { probeResult } from '../domain/examples.ts';
import { probesIn } from './a-look.ts';

const ADDRESS = '10.0.0.5';
const check = (checkType: string, target: string | null = null, options: JsonObject = {}): CheckSettings => ({
  checkType,
  target,
  options,
});
const http = (target: string | null) => check('http', target);
const problemsOf = (settings: CheckSettings, address: string | null) =>
  checkProblems(settings, address).map(({ message }) => message);

describe('the list of checks', () => {
  it('has each type once, and a probe for it', () => {
    expect(new Set(CHECK_TYPES).size).toBe(CHECK_TYPES.length);
    expect([...probesIn().keys()]).toEqual(CHECK_TYPES);
  });

  it('says in words which take a target and which have options', () => {
    expect(TARGETS_IN_WORDS).toContain('tcp: the port; http: a path or URL');
    expect(OPTIONS_IN_WORDS).toContain('http: followRedirects, verifyTls');
  });
});

describe('a check that is defined', () => {
  const common = {
    type: 'dice',
    about: 'load',
    needsCorroboration: false,
    targetIs: null,
    options: z.strictObject({ sides: z.int('must be a whole number').optional() }),
    readTarget: () => ({ ok: true, value: 6 }) as const,
    problems: () => [],
    endpoint: () => null,
  } as const;

  it('reads only the facts it asked for, and its options by their type: anything else does not compile', () => {
    const asking = defineCheck({
      ...common,
      needs: ['heartbeat'],
      createProbe: () => async (input) => {
        const sides: number | undefined = input.options.sides;
        const heardAtMs: number | null = input.facts.heartbeat.lastHeartbeatAtMs;
        return probeResult('healthy', { latencyMs: heardAtMs ?? sides ?? null });
      },
    });
    expect(asking.needs).toEqual(['heartbeat']);

    defineCheck({
      ...common,
      needs: [],
      createProbe: () => async (input) => {
        // @ts-expect-error -- it needs nothing
        void input.facts.heartbeat;
        // @ts-expect-error -- it has no such option
        void input.options.colour;
        return probeResult('healthy');
      },
    });
  });
});

describe('settings that are fine', () => {
  it.each([
    check('ping'),
    check('ping', ''),
    check('agent'),
    check('tcp', '1'),
    check('tcp', '65535'),
    http(null),
    http('/'),
    http('/health?deep=1#top'),
    http('http://example.com'),
    http('HTTPS://example.com:8443/x'),
    http('http://[2a01::1]:8080/'),
    check('http', '/', { followRedirects: true, verifyTls: false }),
  ])('$checkType $target', (settings) => {
    expect(problemsOf(settings, ADDRESS)).toEqual([]);
  });

  it('need no address where none is used', () => {
    expect(problemsOf(http('http://example.com/'), null)).toEqual([]);
    expect(problemsOf(check('agent'), null)).toEqual([]);
  });

  it.each(['vm.example', 'fd00::5', '10.0.0.5', 'bücher.example', 'with_underscore'])(
    'go with the address %s',
    (address) => {
      for (const settings of [check('ping'), check('tcp', '22'), http('/health')]) {
        expect(problemsOf(settings, address)).toEqual([]);
      }
    },
  );
});

describe('settings that are not', () => {
  it.each([
    ['an unknown type', check('snmp'), 'Unknown check type: snmp'],
    ['a type that every object has', check('constructor'), 'Unknown check type: constructor'],
    ['no port', check('tcp'), 'needs a port'],
    ['port 70000', check('tcp', '70000'), '"70000" is not a port: give a whole number from 1 to 65535.'],
    ['port 0', check('tcp', '0'), 'not a port'],
    ['half a port', check('tcp', '22.5'), 'not a port'],
    ['a negative port', check('tcp', '-1'), 'not a port'],
    ['an exponent', check('tcp', '1e3'), 'not a port'],
    ['a host and a port', check('tcp', 'db:5432'), 'not a port'],
    ['a target for ping', check('ping', '10.0.0.1'), 'takes no target'],
    ['a target for agent', check('agent', 'x'), 'takes no target'],
    [
      'an unknown option',
      check('http', '/', { followRedirect: true }),
      'no option "followRedirect". It has: followRedirects, verifyTls.',
    ],
    ['an option where there are none', check('ping', null, { count: 3 }), 'no option "count". It has none.'],
    ['an option of the wrong kind', check('http', '/', { verifyTls: 'no' }), '"verifyTls" must be true or false.'],
    ['a file', http('file:///etc/passwd'), 'Only http and https URLs can be checked, not "file:"'],
    ['a script', http('javascript:alert(1)'), 'Only http and https'],
    ['a host without a scheme', http('localhost:3000/health'), 'begin with "http://"'],
    ['a bare word', http('health'), 'neither a path'],
    ['two slashes', http('//evil.test/'), 'must not begin with "//"'],
    ['a password', http('http://user:hunter2@example.com/'), 'must not contain a user name or password'],
    ['a user', http('http://user@example.com/'), 'must not contain a user name'],
    ['a port too high in a URL', http('http://example.com:70000/'), 'Port 70000 is not a port'],
    ['port 0 in a URL', http('http://example.com:0/'), 'Port 0 is not a port'],
    ['a target without end', http(`/${'x'.repeat(3_000)}`), 'longer than 2048'],
  ])('%s', (_, settings, problem) => {
    const problems = problemsOf(settings, ADDRESS);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it.each([
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '[fe80::1]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::]',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '①⑥⑨.254.169.254',
  ])('http://%s/', (host) => {
    expect(problemsOf(http(`http://${host}/latest/meta-data/`), ADDRESS)).toEqual([
      expect.stringContaining('no check may ever connect there'),
    ]);
  });

  it.each(['169.254.1.1', 'fe80::1', '::ffff:169.254.169.254'])('the address %s', (address) => {
    for (const settings of [check('ping'), check('tcp', '22'), http('/')]) {
      expect(problemsOf(settings, address)).toEqual([expect.stringContaining('no check may ever connect there')]);
    }
  });

  it.each(['a/b', 'a@b', 'a b', 'a:80', 'a?b', 'a#b', '[::1]x', 'a\\b', 'u:p@h'])('an address like %s', (address) => {
    expect(problemsOf(http('/health'), address)).toEqual([
      expect.stringContaining('neither an IP address nor a host name'),
    ]);
  });

  it('are all named at once, each in a sentence, and without the password', () => {
    const settings = check('http', 'ftp://me:hunter2@169.254.169.254:0/', { verifyTls: 1, retries: 3 });
    const problems = problemsOf(settings, null);
    expect(problems).toHaveLength(6);
    for (const problem of problems) expect(problem).toMatch(/^[A-Z].*\.$/);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('are answered, never thrown, whatever they are', () => {
    const anything = fc.oneof(fc.string(), fc.webUrl(), fc.constant(null), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(
        fc.constantFrom('ping', 'tcp', 'http', 'agent', 'x'),
        anything,
        anything,
        fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<JsonValue>),
        (type, target, address, options) => {
          expect(problemsOf(check(type, target, options), address)).toBeInstanceOf(Array);
          const reach = { vmAddress: address, byAdmin: true, tenantTargets: [] };
          targetRefusal({ allow: [], ownPorts: new Set([80]) }, check(type, target, options), reach, []);
        },
      ),
    );
  });
});

describe('a target that the egress rules would refuse', () => {
  const settings = { allow: ['127.0.0.0/8:1-65535'], ownPorts: new Set([7233]), ownHosts: ['temporal.internal'] };
  const refusalOf = (one: CheckSettings, address: string | null, allow = settings.allow) =>
    targetRefusal({ ...settings, allow }, one, { vmAddress: address, byAdmin: true, tenantTargets: [] }, [
      '127.0.0.1',
      '10.0.0.1',
    ]);

  it.each([
    [check('tcp', '7233'), '127.0.0.1'],
    [check('tcp', '7233'), 'localhost'],
    [check('tcp', '7233'), '10.0.0.1'],
    [check('tcp', '7233'), 'Temporal.Internal.'],
    [http('http://127.0.0.1:7233/'), ADDRESS],
    [http('http://[::1]:7233/'), ADDRESS],
    [http('http://[::ffff:127.0.0.1]:7233/'), ADDRESS],
    [http('http://2130706433:7233/'), ADDRESS],
    [http('http://localhost.:7233/'), ADDRESS],
    [http('http://foo.localhost:7233/'), ADDRESS],
    [http('http://10.0.0.1:7233/'), '10.0.0.1'],
  ])("is Defib's own port: %o at %s", (one, address) => {
    expect(refusalOf(one, address)).toContain('belongs to Defib itself');
  });

  it.each([
    [check('ping'), '127.0.0.1'],
    [check('tcp', '22'), 'localhost'],
    [http('/'), '127.0.0.1'],
    [http('http://127.1/'), ADDRESS],
    [http('http://10.0.0.9/'), ADDRESS],
    [http('http://10.0.0.9/'), null],
  ])('needs to be allowed: %o at %s', (one, address) => {
    expect(refusalOf(one, address, [])).toContain('CHECK_TARGETS_ALLOW');
  });

  it.each([
    [check('ping'), '127.0.0.1'],
    [check('tcp', '7233'), ADDRESS],
    [check('tcp', '22'), 'vm.example'],
    [check('tcp', '7233'), 'vm.example'],
    [http('/health'), ADDRESS],
    [http('http://10.0.0.5:8080/'), ADDRESS],
    [http('http://10.0.0.9/'), 'vm.example'],
    [http('http://other.example/'), ADDRESS],
    [check('agent'), null],
  ])('is none, or only its probe finds out: %o at %s', (one, address) => {
    expect(refusalOf(one, address)).toBeNull();
  });
});
