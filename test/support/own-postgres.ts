import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../../db/migrate.ts';
import { startPostgres } from '../../local/embedded-postgres.ts';
import { findFreePort } from '../../local/ports.ts';
import { makeRunFolder } from './leftover-runs.ts';
import { query } from './postgres.ts';

/** A Postgres of one test file alone, with all migrations applied, that may be frozen and restarted. */
export interface OwnPostgres {
  readonly url: string;
  /** Stops all its processes where they are (SIGSTOP), as on a machine that swaps or a VM that is migrated. */
  freeze(): void;
  thaw(): void;
  /** Restarts as a standby without a primary, which is read-only as a former primary is after a fail-over. */
  demote(): Promise<void>;
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Postgres with all migrations applied; `stop` it in the end. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = makeRunFolder();
  const dataDir = join(folder.path, 'postgres');
  const port = await findFreePort();
  const settings = { wal_level: 'replica' };
  const start = () => startPostgres({ dataDir, port, throwaway: true, settings });
  let server = await start();
  await migrate(server.url);
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => signalAll(server.pid, name);
  return {
    url: server.url,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async demote() {
      await server.stop();
      writeFileSync(join(dataDir, 'data', 'standby.signal'), '');
      server = await start();
    },
    promote: async () => void (await query(server.adminUrl, 'SELECT pg_promote()')),
    async stop() {
      signal('SIGCONT');
      await server.stop();
      folder.remove();
    },
  };
}

/** The postmaster first, so that it starts no others meanwhile. */
function signalAll(postmaster: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function childrenOf(parent: number): number[] {
  const running = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return running.filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | null {
  try {
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: its name may hold anything, but no later field a parenthesis
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return Number(afterName.split(' ')[1]);
  } catch {
    return null;
  }
}
