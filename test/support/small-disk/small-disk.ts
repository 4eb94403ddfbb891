import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '../../../local/ports.ts';
import { makeRunFolder } from '../leftover-runs.ts';
import { startProgram } from '../program.ts';

const MEGABYTES = 128;
const FLAGS = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** A Postgres whose data is on a small disk of its own. */
export interface SmallDiskPostgres {
  readonly url: string;
  /** Fills the disk to the last byte. */
  fill(): void;
  free(): void;
  stop(): Promise<void>;
}

/** How this machine gives a process a disk of its own; or why it doesn't. */
export function namespaceCommand(): { ok: true; command: string[] } | { ok: false; reason: string } {
  const ways = [[], ['--user', '--map-root-user']].map((more) => ['unshare', ...more, ...FLAGS]);
  const test = ['sh', '-c', 'mount -t tmpfs -o size=1m none /mnt'];
  const command = ways.find(([file = '', ...args]) => spawnSync(file, [...args, ...test]).status === 0);
  return command
    ? { ok: true, command }
    : { ok: false, reason: 'this machine lets no process mount a disk of its own (unshare --mount)' };
}

/** Starts a migrated Postgres on a disk of its own. @throws the reason when this machine doesn't allow that */
export async function startOnSmallDisk(): Promise<SmallDiskPostgres> {
  const found = namespaceCommand();
  if (!found.ok) throw new Error(found.reason);
  const folder = makeRunFolder();
  const port = await findFreePort();
  const script = ['--import', 'tsx', 'test/support/small-disk/main.ts', folder.path, String(port), String(MEGABYTES)];
  const program = startProgram([...found.command, process.execPath, ...script], { endWithUs: 'KILL' });
  const [, url = ''] = await program.said(/ready: (.*)/);
  // as that process sees its disk
  const ballast = join(`/proc/${program.pid}/root`, folder.path, 'ballast');
  return {
    url,
    fill() {
      const file = openSync(ballast, 'a');
      for (const chunk of [Buffer.alloc(1 << 20), Buffer.alloc(4096)]) writeUntilFull(file, chunk);
      closeSync(file);
    },
    free: () => rmSync(ballast, { force: true }),
    async stop() {
      await program.kill();
      folder.remove();
    },
  };
}

function writeUntilFull(file: number, chunk: Buffer): void {
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
