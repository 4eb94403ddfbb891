import { fileURLToPath } from 'node:url';
import { startProgram } from '../support/program.ts';

/**
 * Starts a server from a process of its own and kills that process with SIGKILL, as a crash would.
 * @returns the server's process id; the server itself runs on.
 */
export async function serverOfKilledParent(...args: string[]): Promise<number> {
  const fixture = fileURLToPath(new URL('./start-server-fixture.ts', import.meta.url));
  const parent = startProgram([process.execPath, '--import', 'tsx', fixture, ...args]);
  const [, pid] = await parent.said(/"pid":(\d+)/);
  await parent.kill();
  return Number(pid);
}
