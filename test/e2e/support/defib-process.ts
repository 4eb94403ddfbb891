import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from '../../../local/ports.ts';
import { endWithUs } from './end-with-us.ts';
import { killProcessesOf } from './processes-of.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Settings of the shell or of the test runner that would change what a new user sees. */
const NOT_A_NEW_USERS =
  /^(DEFIB_|TEMPORAL_|POSTGRES_|PG|VITEST|npm_|NODE_ENV$|NODE_OPTIONS$|DATABASE_URL$|PORT$|HOST$)/;

export type Ports = Record<'PORT' | 'TEMPORAL_PORT' | 'TEMPORAL_UI_PORT' | 'POSTGRES_PORT', number>;

export interface DefibProcess {
  out(): string;
  err(): string;
  /** Resolves with the match once it is printed; rejects with all it said when it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code; null when a signal ended it. */
  ended: Promise<number | null>;
  /** What Ctrl-C in a terminal does: SIGINT to its whole process group. */
  interrupt(): void;
  /** kill -9 of it and of everything it started, Postgres and Temporal too. */
  kill(): Promise<void>;
}

export async function freePorts(): Promise<Ports> {
  const [api = 0, temporal = 0, ui = 0, postgres = 0] = await findFreePorts(4);
  return { PORT: api, TEMPORAL_PORT: temporal, TEMPORAL_UI_PORT: ui, POSTGRES_PORT: postgres };
}

/** Starts Defib as a new user does, in this checkout; through npm, or by the script that npm runs. */
export function startDefib(how: 'npm start' | 'node', dataDir: string, ports: Ports): DefibProcess {
  const command: [string, ...string[]] = how === 'npm start' ? ['npm', 'start'] : [process.execPath, 'local/start.mjs'];
  const [program, args] = endWithUs('TERM', command);
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_A_NEW_USERS.test(name));
  const given = Object.entries({ ...ports, DEFIB_DATA_DIR: dataDir, npm_config_update_notifier: false }).map(
    ([name, value]) => [name, String(value)],
  );
  const child = spawn(program, args, {
    cwd: ROOT,
    env: Object.fromEntries([...inherited, ...given]),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command.join(' ')} can't be run`);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  return {
    out: () => said.out,
    err: () => said.err,
    async said(pattern) {
      for (;;) {
        const match = pattern.exec(said.out);
        if (match) return match;
        if (over) throw new Error(`It ended without saying ${pattern}. It said:\n${said.out}\n${said.err}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
    ended,
    interrupt: () => void process.kill(-pid, 'SIGINT'),
    async kill() {
      await killProcessesOf(dataDir);
      await ended;
    },
  };
}
