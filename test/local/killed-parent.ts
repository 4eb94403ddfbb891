import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Starts a server from a process of its own and kills that process with SIGKILL, as a crash would.
 * @returns the server's process id; the server itself runs on.
 */
export async function serverOfKilledParent(...args: string[]): Promise<number> {
  const fixture = fileURLToPath(new URL('./start-server-fixture.ts', import.meta.url));
  const parent = spawn(process.execPath, ['--import', 'tsx', fixture, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  return (JSON.parse(said.toString()) as { pid: number }).pid;
}
