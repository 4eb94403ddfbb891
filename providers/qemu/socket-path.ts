import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import type { ConnectionTest, ProviderTrouble } from '../provider.ts';

/** The one answer to every refused path, so that nobody learns from it what exists outside the folders. */
export const QMP_SOCKET_REFUSAL =
  'qmpSocket must be the absolute path (at most 107 bytes) of a QMP socket inside a folder of QMP_SOCKET_DIRS. To allow another ' +
  "folder, add it to QMP_SOCKET_DIRS in the settings of its site's processes, and start them again.";

const NO_LONGER_ITSELF =
  'The registered qmpSocket is no longer a socket of its own inside QMP_SOCKET_DIRS: it was replaced, linked, or the ' +
  'folders changed. Put it back, or register the VM again.';

/** sun_path holds 108 bytes with its end mark (unix(7)); a longer path would be cut and lead elsewhere. */
const MAX_SOCKET_PATH = 107;

/** `qmpSocket` is the path to store, one per socket: only the real one works later. */
export type QmpSocketRegistration = { ok: true; qmpSocket: string } | { ok: false; message: string };

/**
 * Judges a path that a user wants to register. Links are followed, so two names of one socket give one path. A path with
 * nothing at it is fine when its folder is inside the allowed ones: a VM may be registered while it is off.
 */
export async function registerQmpSocket(path: string, dirs: readonly string[]): Promise<QmpSocketRegistration> {
  const place = await locate(path, dirs);
  if (place.is === 'refused') return { ok: false, message: QMP_SOCKET_REFUSAL };
  return { ok: true, qmpSocket: place.path };
}

/**
 * Judges a registered path again, immediately before it is connected to. What became a link since is refused even when
 * it stays inside: it may lead to the socket of another VM, and that one would be reset.
 */
export async function resolveQmpSocket(
  path: string,
  dirs: readonly string[],
): Promise<{ ok: true; path: string } | ProviderTrouble> {
  const place = await locate(path, dirs);
  if (place.is === 'refused' || place.path !== path) return { ok: false, reason: 'refused', message: NO_LONGER_ITSELF };
  if (place.is === 'socket') return { ok: true, path: place.path };
  const message = `No socket at ${path}: QEMU is not running, or was started with another -qmp path.`;
  return { ok: false, reason: 'unreachable', message };
}

/** Whether this process can read the folders, and how many sockets lie in them. */
export async function testFolders(dirs: readonly string[]): Promise<ConnectionTest> {
  if (dirs.length === 0) {
    const message = 'No folder of QMP sockets is allowed here: set QMP_SOCKET_DIRS for the processes of this site.';
    return { ok: false, reason: 'unsupported', message };
  }
  let sockets = 0;
  for (const dir of dirs) {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => null);
    if (entries === null) {
      const message = `The folder ${dir} can't be read: create it, or give Defib's user permission on it.`;
      return { ok: false, reason: 'unreachable', message };
    }
    sockets += entries.filter((entry) => entry.isSocket()).length;
  }
  return { ok: true, detail: `${sockets} sockets in ${dirs.join(', ')}` };
}

type Place = { is: 'socket' | 'missing'; path: string } | { is: 'refused' };

/**
 * Judged first as text: of a path that leads out of the folders, or through others, nothing is asked of the file system, or the
 * answer would tell whether those exist.
 */
async function locate(path: string, dirs: readonly string[]): Promise<Place> {
  if (!isAbsolute(path) || isUnstorable(path)) return { is: 'refused' };
  const folders = (await Promise.all(dirs.map(realPathOf))).filter((folder) => folder !== null);
  const written = normalize(path);
  if (![...dirs.map((dir) => resolve(dir)), ...folders].some((dir) => isInside(written, dir))) return { is: 'refused' };
  const real = await realPathOf(written);
  const found = real ?? (await placeOfMissing(written));
  if (found === null || Buffer.byteLength(found) > MAX_SOCKET_PATH) return { is: 'refused' };
  if (!folders.some((folder) => isInside(found, folder))) return { is: 'refused' };
  if (real === null) return { is: 'missing', path: found };
  return (await isOnlySocket(real)) ? { is: 'socket', path: real } : { is: 'refused' };
}

/** Real folder plus name; null for a link that leads nowhere, or there would be an answer about where it leads. */
async function placeOfMissing(path: string): Promise<string | null> {
  const folder = await realPathOf(dirname(path));
  const isLink = await lstat(path).then(
    () => true,
    () => false,
  );
  return folder === null || isLink ? null : join(folder, basename(path));
}

async function realPathOf(path: string): Promise<string | null> {
  return realpath(path).catch(() => null);
}

/** A socket of a second name (a hard link) would be registered twice, for two tenants perhaps. */
async function isOnlySocket(path: string): Promise<boolean> {
  return lstat(path).then(
    (stat) => stat.isSocket() && stat.nlink === 1,
    () => false,
  );
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

/** Whether it has control characters or lone surrogates: Postgres can store neither NUL nor those. */
function isUnstorable(path: string): boolean {
  return /[\p{Cc}\p{Cs}]/u.test(path);
}
