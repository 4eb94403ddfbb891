import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environment } from '../../local/environment.mjs';

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SETPRIV = '/usr/bin/setpriv';

export interface ProgramOptions {
  /** The whole environment; default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The signal that the kernel ends it by when this process dies; without one a killed run leaves it behind. */
  readonly endWithUs?: 'TERM' | 'KILL';
  /** Default: the folder of the checkout. */
  readonly cwd?: string;
  /** A process group of its own, which `interrupt` reaches whole. */
  readonly ownGroup?: boolean;
}

/** A program that runs, and all that it said. */
export interface Program {
  readonly pid: number;
  out(): string;
  err(): string;
  /** Resolves with the match once it is printed; rejects with all it said when it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What Ctrl-C in a terminal does: SIGINT to its whole process group. */
  interrupt(): void;
  /** kill -9 of this process alone. */
  kill(): Promise<void>;
}

/** Starts a program. @throws Error when it can't be run. */
export function startProgram(command: readonly string[], options: ProgramOptions = {}): Program {
  const { env = environment, cwd = ROOT, endWithUs, ownGroup = false } = options;
  const bound = endWithUs && existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', endWithUs] : [];
  const [file = '', ...args] = [...bound, ...command];
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: ownGroup });
  const { pid } = child;
  // Else the error that tells so would end this process.
  child.once('error', () => undefined);
  if (pid === undefined) throw new Error(`${command.join(' ')} can't be run`);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  let over = false;
  const ended = once(child, 'close').then(([code, signal]): number | NodeJS.Signals => {
    over = true;
    return signal ?? code;
  });
  return {
    pid,
    out: () => said.out,
    err: () => said.err,
    async said(pattern) {
      for (;;) {
        const match = pattern.exec(`${said.out}\n${said.err}`);
        if (match) return match;
        if (over) throw new Error(`It ended without saying ${pattern}. It said:\n${said.out}\n${said.err}`);
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
      }
    },
    ended,
    interrupt: () => void process.kill(ownGroup ? -pid : pid, 'SIGINT'),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
