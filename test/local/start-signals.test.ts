import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** Runs `script` the way start.mjs runs main.ts, and collects what it says. */
function foreground(script: string) {
  const module = fileURLToPath(new URL('../../local/child.mjs', import.meta.url));
  const code = `import { runForeground } from ${JSON.stringify(module)};
    process.exitCode = await runForeground(process.execPath, ['-e', ${JSON.stringify(script)}]);`;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const ready = new Promise<void>((resolve) => {
    runner.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('ready')) resolve();
    });
  });
  return { runner, ready, said: () => said, ended: once(runner, 'close') as Promise<[number | null, string | null]> };
}

const COUNTS_SIGNALS = `
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => {
    count += 1;
    console.log(name, count);
    setTimeout(() => process.exit(7), 300);
  });
  setInterval(() => undefined, 1000);
  console.log('ready');`;

it.each(['SIGINT', 'SIGTERM'] as const)(
  'passes %s on once, however often it comes, and the exit code back',
  async (signal) => {
    const { runner, ready, said, ended } = foreground(COUNTS_SIGNALS);
    await ready;
    runner.kill(signal);
    runner.kill('SIGINT');
    runner.kill('SIGTERM');
    const [code] = await ended;
    expect(code).toBe(7);
    expect(said().match(/SIG\w+ \d/g)).toHaveLength(1);
  },
);

it('tells with its exit code that a signal ended the program', async () => {
  const { runner, ready, ended } = foreground(`setInterval(() => undefined, 1000); console.log('ready');`);
  await ready;
  runner.kill('SIGTERM');
  expect((await ended)[0]).toBe(143);
});
