import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync, truncateSync } from 'node:fs';
import { lastLinesOf } from './part.ts';

const MAX_BYTES = 10 * 1024 * 1024;
/** More than its last lines take. */
const END_BYTES = 16 * 1024;

/** The file a server writes to, and what it has written since it was opened here. */
export interface ServerLog {
  readonly file: string;
  readonly fd: number;
  /** Closes our copy of the descriptor; the server keeps its own. */
  readonly close: () => void;
  readonly newText: () => string;
  /** The first new line that matches, else the last one: most likely why the server ended. */
  readonly reason: (pattern: RegExp) => string;
  /** Its last lines, with the name of the file. */
  readonly lastLines: () => string[];
}

/** Opens a log for appending (mode 0600); one that has grown past 10 MB is begun anew. */
export function openServerLog(file: string): ServerLog {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) truncateSync(file);
  const fd = openSync(file, 'a', 0o600);
  const before = fstatSync(fd).size;
  const newText = () => readFileSync(file).subarray(before).toString('utf8');
  const reason = (pattern: RegExp) => {
    const lines = newText()
      .split('\n')
      .filter((line) => line.trim() !== '');
    return lines.find((line) => pattern.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  };
  const lastLines = () => [...lastLinesOf(endOf(file)), `(${file})`];
  return { file, fd, close: () => closeSync(fd), newText, reason, lastLines };
}

function endOf(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const end = Buffer.alloc(Math.min(size, END_BYTES));
    readSync(fd, end, 0, end.length, size - end.length);
    return end.toString('utf8');
  } finally {
    closeSync(fd);
  }
}
