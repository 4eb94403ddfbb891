import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State `LISTEN` in /proc/net/tcp. */
const LISTEN = '0A';

/**
 * The TCP ports that a process listens on, as far as this machine tells (Linux; elsewhere none). A Temporal server opens several
 * beside those that it is given.
 */
export function listeningPorts(pid: number): number[] {
  if (process.platform !== 'linux') return [];
  const own = socketsOf(pid);
  return ['tcp', 'tcp6'].flatMap((family) => {
    const [, ...lines] = readFileSync(`/proc/${pid}/net/${family}`, 'utf8').trim().split('\n');
    return lines.flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return state === LISTEN && own.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
    });
  });
}

/** The inodes of a process's open sockets. */
function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  return new Set(
    readdirSync(folder).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1] ?? [];
      } catch {
        // closed meanwhile
        return [];
      }
    }),
  );
}
