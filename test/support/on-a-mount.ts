import { namespaceCommand } from './small-disk/small-disk.ts';

const MOUNT_AND_RUN = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"';

/**
 * A command that runs another one with a file system of its own mounted at a folder, with these options of tmpfs; nobody else sees
 * it. @throws the reason where this machine lets no process mount one: see requirement `small-disk`.
 */
export function onAMount(folder: string, options: string, command: readonly string[]): string[] {
  const found = namespaceCommand();
  if (!found.ok) throw new Error(found.reason);
  return [...found.command, 'sh', '-c', MOUNT_AND_RUN, 'sh', options, folder, ...command];
}

/** A command that runs another one bound by the permissions of files: as root, without the capabilities to pass them over. */
export function boundByPermissions(command: readonly string[]): string[] {
  const caps = ['chown', 'dac_override', 'dac_read_search', 'fowner'].map((name) => `-${name}`).join(',');
  return process.getuid?.() === 0
    ? ['setpriv', `--bounding-set=${caps}`, `--inh-caps=${caps}`, ...command]
    : [...command];
}
