import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** More than the first start writes: a Postgres cluster with its log, Temporal's database, the bundle of the workflows. */
export const NEEDED_AT_FIRST_MEGABYTES = 128;
/** What later starts may need before the old is overwritten. */
export const NEEDED_LATER_MEGABYTES = 32;

const MEGABYTE = 1 << 20;
const PROBE_BYTES = 64 * 1024;

/** What the codes of the system mean for a folder: https://man7.org/linux/man-pages/man3/errno.3.html */
const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'it belongs to another user',
  EROFS: 'it is on a read-only file system',
  EEXIST: 'it is a file, not a folder',
  ENOTDIR: 'it is under a file, not under a folder',
  ENOSPC: 'its disk is full',
  EDQUOT: "this user's quota of its disk is used up",
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/** Makes a folder (mode 0700) where it is missing. @returns why that can't be, in words; null when it is there. */
export function makeFolder(folder: string): string | null {
  const make = () => void mkdirSync(folder, { recursive: true, mode: 0o700 });
  return reasonIn(() => {
    try {
      make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // Node says so of a read-only disk too: https://github.com/nodejs/node/issues/47098
      mkdirSync(firstMissing(folder), { mode: 0o700 });
      make();
    }
  }, folder);
}

/**
 * Makes the folder that all data is kept in, for its owner alone, and tries whether as much as is needed can be written.
 * @returns why it can't be used, in words; null when it can.
 */
export function prepareDataFolder(folder: string, neededMegabytes: number): string | null {
  return makeFolder(folder) ?? reasonIn(() => tryToWrite(folder), folder) ?? tooFull(folder, neededMegabytes);
}

function tryToWrite(folder: string): void {
  chmodSync(folder, 0o700);
  const file = join(folder, 'write-test');
  try {
    const fd = openSync(file, 'w', 0o600);
    try {
      writeFileSync(fd, Buffer.alloc(PROBE_BYTES));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } finally {
    rmSync(file, { force: true });
  }
}

function tooFull(folder: string, neededMegabytes: number): string | null {
  const { bavail, bsize } = statfsSync(folder);
  const left = Math.floor((bavail * bsize) / MEGABYTE);
  return left >= neededMegabytes ? null : `its disk has ${left} MB left, and ${neededMegabytes} MB are needed`;
}

function reasonIn(action: () => void, folder: string): string | null {
  try {
    action();
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const words = SENTENCES[code];
    return words === undefined ? message : `${words} (${code}${nearest(folder)})`;
  }
}

/** The part of the path that exists, where that is not all of it: the reason is there. */
function nearest(folder: string): string {
  return existsSync(folder) ? '' : `; of it, ${dirname(firstMissing(folder))} is there`;
}

function firstMissing(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || existsSync(parent) ? folder : firstMissing(parent);
}
