import { expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';

const STOPS_SLOWLY = `
  import { runUntilStopped, stopSignal } from './workers/run-until-stopped.ts';
  const told = stopSignal();
  const idle = setInterval(() => undefined, 1_000);
  console.log('ready');
  await runUntilStopped(told, [], async () => {
    console.log('stopping');
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  process.exit(7);`;

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'stops once on %s, however often it comes, and ends with its own exit code',
  async (signal) => {
    const command = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', STOPS_SLOWLY];
    const program = startProgram(command);
    await program.said(/ready/);
    for (const one of [signal, 'SIGINT', 'SIGTERM'] as const) process.kill(program.pid, one);
    expect(await program.ended).toBe(7);
    expect(program.out().match(/stopping/g)).toHaveLength(1);
  },
);
