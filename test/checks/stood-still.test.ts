import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { ProbeResult } from '../../domain/probe-result.ts';
import { startProgram } from '../support/program.ts';
import { listening } from './a-look.ts';
import { fakeFping } from './fake-fping.ts';
import { hungServer } from './hung-server.ts';

const FIXTURE = fileURLToPath(new URL('./stood-still-fixture.ts', import.meta.url));

/** What a process finds that is stopped for `ms` shortly after its probe has begun. */
async function stoppedFor(ms: number, type: string, ...given: readonly string[]): Promise<ProbeResult> {
  const program = startProgram([process.execPath, '--import', 'tsx', FIXTURE, type, ...given]);
  onTestFinished(() => program.kill());
  await program.said(/begun/);
  await sleep(100);
  process.kill(program.pid, 'SIGSTOP');
  await sleep(ms);
  process.kill(program.pid, 'SIGCONT');
  const [result] = await program.said(/\{.*\}/);
  return JSON.parse(result);
}

const SAYS_NOTHING = {
  status: 'unknown',
  reason: 'look-failed',
  message: expect.stringContaining('this worker stood still for a while'),
};

it('reads what a VM answered while the worker was stopped', async () => {
  const port = await listening(createServer((_, response) => setTimeout(() => response.end('well'), 400)));
  expect(await stoppedFor(3_000, 'http', `http://127.0.0.1:${port}/`, '1000')).toMatchObject({ status: 'healthy' });
});

it.each([
  ['http', false],
  ['tcp', true],
])(
  'takes it for no failure of the VM when a worker is stopped until the time of a %s probe is up',
  async (type, full) => {
    const port = await hungServer({ full });
    const target = type === 'tcp' ? String(port) : `http://127.0.0.1:${port}/`;
    expect(await stoppedFor(2_500, type, target, '1000')).toMatchObject(SAYS_NOTHING);
  },
);

it('takes it for no failure of the VM when a worker, and perhaps its fping, is stopped until the time of a ping is up', async () => {
  const path = fakeFping(`sleep 0.3; echo '127.0.0.1 is unreachable'; exit 1`);
  expect(await stoppedFor(3_500, 'ping', '', '100', path)).toMatchObject(SAYS_NOTHING);
});

it('takes a timeout for a failure of the VM when the worker was only stopped for a moment', async () => {
  const port = await hungServer({ full: false });
  const found = { status: 'unhealthy', reason: 'timeout' };
  expect(await stoppedFor(300, 'http', `http://127.0.0.1:${port}/`, '1000')).toMatchObject(found);
});
