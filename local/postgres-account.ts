import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../workers/start-error.ts';

/** How Postgres's programs are run without being root, which they refuse. */
export interface PostgresAccount {
  /** The command before theirs; empty where none is needed. */
  readonly prefix: readonly string[];
  /** `uid:gid` that must own the data; undefined: whoever owns it. */
  readonly owner?: string;
}

/**
 * Chooses the account. An ordinary user needs none. Root takes a user namespace in which it has another number: files
 * stay root's. Where that is refused (plain Docker) or can't reach the folders, root becomes another user and keeps
 * one capability, CAP_DAC_OVERRIDE, so that folders with mode 0700 on the way don't matter. A data folder that
 * belongs to an ordinary user is run as that user, so they can start it again without root.
 * @param folder where the cluster is or will be; its parent exists.
 * @throws StartError when root has no way.
 */
export function choosePostgresAccount(folder: string, program: string): PostgresAccount {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const owner = statSync(folder, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return asUser(owner.uid, owner.gid);
  // initdb looks its user up by number, so it must be one that has a name.
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'])));
  const inNamespace = { prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`], owner: '0:0' };
  const chosen = [inNamespace, asUser(uid, gid)].find((account) => canRun(account, dirname(folder), program));
  if (chosen !== undefined) return chosen;
  throw new StartError(
    'Postgres refuses to run as root, and neither `unshare --user` nor `setpriv` (package util-linux) works here: start as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

function asUser(uid: number | undefined, gid: number | undefined): PostgresAccount {
  const flags = ['--clear-groups', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return { prefix: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...flags], owner: `${uid}:${gid}` };
}

function canRun({ prefix: [file = '', ...args] }: PostgresAccount, writable: string, program: string): boolean {
  const test = ['sh', '-c', 'test -w "$1" && exec "$2" --version', 'sh', writable, program];
  return spawnSync(file, [...args, ...test], { stdio: 'ignore' }).status === 0;
}
