import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createFping } from '../../checks/fping.ts';
import { look, type Surroundings } from './a-look.ts';
import { fakeFping } from './fake-fping.ts';

const pinging = (address: string | null, surroundings?: Surroundings, timeoutMs = 2_000) =>
  look('ping', { address, timeoutMs }, surroundings);

/** Why real pings can't be sent here; null when they can. */
function whyNoPings(): string | null {
  const tried = spawnSync('fping', ['-r0', '127.0.0.1'], { encoding: 'utf8' });
  if (tried.error) return 'fping is not on PATH (apt install fping)';
  return tried.status === 0 ? null : `fping may not send ICMP: ${tried.stderr.trim()}`;
}

const missing = whyNoPings();

describe.skipIf(missing !== null)(
  `ping with the real fping${missing === null ? '' : ` [skipped because ${missing}]`}`,
  () => {
    it('hears this machine, and says how long that took', async () => {
      const result = await pinging('127.0.0.1');
      expect(result).toMatchObject({ status: 'healthy', reason: 'ok', message: null });
      expect(result.latencyMs).toBeGreaterThanOrEqual(0);
      expect(result.rawResponse.output).toMatch(/^127\.0\.0\.1 is alive \(/);
      expect(result.summary).toMatch(/^ping [\d.]+ ms$/);
    });

    it('pings the address that was cleared, not the name', async () => {
      const result = await pinging('vm.test', { names: { 'vm.test': ['169.254.1.1', '127.0.0.3'] } });
      expect(result.rawResponse.output).toMatch(/^127\.0\.0\.3 is alive/);
    });

    it('answers everyone who asks at the same time', async () => {
      const ping = createFping();
      const addresses = Array.from({ length: 250 }, (_, i) => `127.0.2.${1 + (i % 240)}`);
      const answers = await Promise.all(addresses.map((address) => ping(address, 5_000)));
      expect(answers.map(({ output }) => output.split(' ')[0])).toEqual(addresses);
      expect(answers.every(({ kind }) => kind === 'alive')).toBe(true);
    });
  },
);

describe('ping', () => {
  it('fails when nothing comes back', async () => {
    const path = fakeFping(`echo '127.0.0.1 is unreachable'; exit 1`);
    const result = await pinging('127.0.0.1', { fping: { path } });
    expect(result).toEqual({
      status: 'unhealthy',
      reason: 'ping-failed',
      message: 'Ping failed',
      latencyMs: null,
      rawResponse: { output: '127.0.0.1 is unreachable' },
      summary: 'ping failed',
    });
  });

  it('tells what routers said', async () => {
    const said = 'ICMP Host Unreachable from 127.0.0.9 for ICMP Echo sent to 127.0.0.1';
    const path = fakeFping(`echo '${said}' >&2; sleep 0.1; echo '127.0.0.1 is unreachable'; exit 1`);
    const result = await pinging('127.0.0.1', { fping: { path } });
    expect(result.message).toBe('Ping failed');
    expect(result.rawResponse.output).toBe(`${said}\n127.0.0.1 is unreachable`);
  });

  it('keeps at most 500 characters', async () => {
    const note = `ICMP ${'x'.repeat(900)} for ICMP Echo sent to 127.0.0.1`;
    const path = fakeFping(`echo '${note}' >&2; sleep 0.1; echo '127.0.0.1 is unreachable'`);
    const result = await pinging('127.0.0.1', { fping: { path } });
    expect(String(result.rawResponse.output)).toHaveLength(500);
  });

  it.each([
    ['there is no fping', '/nowhere/fping', 'fping-missing', /install it/],
    [
      'fping may open no socket',
      `echo "fping: can't create socket (must run as root?)" >&2; exit 4`,
      'icmp-not-permitted',
      /may not send ICMP.*setcap.*NET_RAW/,
    ],
    [
      'this worker has no route',
      `echo '127.0.0.1: error while sending ping: Network is unreachable' >&2; echo '127.0.0.1 is unreachable'; exit 1`,
      'no-route',
      /could not be sent.*this worker/,
    ],
    ['fping says nothing', 'exit 0', 'look-failed', /fault of Defib or of this worker/],
    ['fping crashes', 'kill -9 $$', 'look-failed', /fault of Defib or of this worker/],
    ['fping has other ideas', `echo 'usage: fping' >&2; exit 3`, 'look-failed', /usage: fping/],
  ])('is not conclusive when %s', async (_, script, reason, message) => {
    const path = script.startsWith('/') ? script : fakeFping(script);
    const result = await pinging('127.0.0.1', { fping: { path } });
    expect(result).toMatchObject({ status: 'unknown', reason, latencyMs: null });
    expect(result.message).toMatch(message);
    expect(result.summary).toBe(`ping ${reason.replaceAll('-', ' ')}`);
  });

  it('is told of a dead neighbour by the kernel', async () => {
    const path = fakeFping(`echo '127.0.0.1: error while sending ping: No route to host' >&2; exit 1`);
    expect((await pinging('127.0.0.1', { fping: { path } })).status).toBe('unhealthy');
  });

  it('sends nothing to a refused address', async () => {
    const path = fakeFping(`echo "$(cat) is alive (0.1 ms)"`);
    for (const address of ['169.254.169.254', '::ffff:169.254.169.254', '127.0.0.1', '224.0.0.1']) {
      const result = await pinging(address, { fping: { path }, settings: { allow: [] } });
      expect(result).toMatchObject({ status: 'unknown', reason: 'target-refused' });
    }
  });

  it('is not conclusive when the VM has no address', async () => {
    expect(await pinging(null)).toMatchObject({ status: 'unknown', reason: 'no-address' });
  });
});

describe('pings that are asked for together', () => {
  const echo = `echo "$*" >> "$0.log"; while read a; do echo "$a" >> "$0.log"; echo "$a is alive (0.10 ms)"; done`;

  it('share a process, each address once, as literals on its standard input', async () => {
    const path = fakeFping(echo);
    const ping = createFping({ path });
    const answers = await Promise.all(['127.0.0.1', '::1', '127.0.0.1'].map((address) => ping(address, 1_500)));
    expect(answers.map(({ kind }) => kind)).toEqual(['alive', 'alive', 'alive']);
    expect(fakeFping.log(path)).toEqual(['-e -r0 -i1 -t1500', '127.0.0.1', '::1']);
  });

  it('keep their own time limits', async () => {
    const path = fakeFping(echo);
    const ping = createFping({ path });
    await Promise.all([ping('127.0.0.1', 1_000), ping('127.0.0.2', 2_000)]);
    const limits = fakeFping.log(path).filter((line) => line.startsWith('-'));
    expect(limits.toSorted()).toEqual(['-e -r0 -i1 -t1000', '-e -r0 -i1 -t2000']);
  });

  it('hear of no one else’s troubles', async () => {
    const path = fakeFping(`echo '127.0.0.2: error while sending ping: Operation not permitted' >&2; exit 1`);
    const ping = createFping({ path });
    const [one, other] = await Promise.all([ping('127.0.0.1', 1_000), ping('127.0.0.2', 1_000)]);
    expect(one.output).not.toContain('127.0.0.2');
    expect(other).toMatchObject({ kind: 'not-sent' });
  });

  it('are answered one by one: a silent neighbour holds nobody up', async () => {
    const path = fakeFping(`echo '127.0.0.1 is alive (0.20 ms)'; sleep 60`);
    const ping = createFping({ path });
    const answered: string[] = [];
    const silent = ping('127.0.0.2', 100).then(({ kind }) => answered.push(kind));
    const alive = ping('127.0.0.1', 100).then(({ kind }) => answered.push(kind));
    await Promise.all([silent, alive]);
    // the silent one ends with the process, which was killed for taking too long
    expect(answered).toEqual(['alive', 'look-failed']);
  });
});
