import type { ChildProcess } from 'node:child_process';

/** How a process ended: by its exit code or by a signal; neither when it could not be run at all. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of ours while it runs. */
export interface RunningPart {
  /** Resolves once it has ended, asked for or not. */
  readonly exited: Promise<Exit>;
  /** What it said last, oldest first. */
  readonly lastLines: () => string[];
  /** May be called more than once. */
  readonly stop: () => Promise<void>;
}

const LAST_LINES = 8;

/** Resolves once the process has ended and everything that it wrote has arrived. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    // of one that runs, errors are about messages and signals to it
    child.on('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
  });
}

/** As people read it, to be put after a name: `was ended by SIGKILL`. */
export function wordsOfExit({ code, signal }: Exit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be run' : `ended with exit code ${code}`;
}

/** The last lines of a text, without empty ones. */
export function lastLinesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-LAST_LINES);
}
