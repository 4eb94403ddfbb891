import { spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from './start-error.ts';

/** How Postgres's programs are run without being root, which they refuse. */
export interface PostgresAccount {
  /** The program and arguments that really have to be spawned; the process id stays the same. */
  readonly wrap: (program: string, args: readonly string[]) => { readonly file: string; readonly args: string[] };
  /** Makes the folder and what is in it belong to the account. */
  readonly own: (folder: string) => void;
  readonly how: 'as this user' | 'in a user namespace' | 'as another user';
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Chooses the account. An ordinary user needs none. Root takes a user namespace in which it has another number: files
 * stay root's. Where that is refused (plain Docker) or can't reach the folders, root becomes another user and keeps
 * one capability, CAP_DAC_OVERRIDE, so that folders with mode 0700 on the way don't matter. A data folder that
 * belongs to an ordinary user is run as that user, so they can start it again without root.
 * @param folder where the cluster is or will be; its parent exists.
 */
export function choosePostgresAccount(folder: string, program: string): PostgresAccount {
  if (process.getuid?.() !== 0) {
    return { wrap: (file, args) => ({ file, args: [...args] }), own: () => undefined, how: 'as this user' };
  }
  const owner = ownerOf(folder);
  if (owner !== undefined && owner.uid !== 0) return asUser(owner);
  const inNamespace = inUserNamespace();
  if (canRun(inNamespace, dirname(folder), program)) return inNamespace;
  const other = asUser(accountWithName());
  if (canRun(other, dirname(folder), program)) return other;
  throw new StartError(
    'Postgres refuses to run as root, and neither `unshare --user` nor `setpriv` (package util-linux) works here: start as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

function inUserNamespace(): PostgresAccount {
  // initdb looks its user up by number, so it must be one that has a name.
  const { uid, gid } = accountWithName();
  return {
    wrap: (file, args) => ({
      file: 'unshare',
      args: ['--user', `--map-user=${uid}`, `--map-group=${gid}`, file, ...args],
    }),
    own: (folder) => giveTree(folder, { uid: 0, gid: 0 }),
    how: 'in a user namespace',
  };
}

function asUser({ uid, gid }: Ids): PostgresAccount {
  const flags = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=+dac_override'];
  return {
    wrap: (file, args) => ({ file: 'setpriv', args: [...flags, '--ambient-caps=+dac_override', file, ...args] }),
    own: (folder) => giveTree(folder, { uid, gid }),
    how: 'as another user',
  };
}

function canRun(account: PostgresAccount, writable: string, program: string): boolean {
  const { file, args } = account.wrap('sh', ['-c', 'test -w "$1" && exec "$2" --version', 'sh', writable, program]);
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

function accountWithName(): Ids {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => Number.isInteger(uid) && uid > 0 && Number.isInteger(gid));
  const chosen = ['postgres', 'nobody', 'daemon'].map((name) => accounts.find((account) => account.name === name));
  const account = chosen.find((found) => found !== undefined) ?? accounts[0];
  if (account === undefined) {
    throw new StartError('Postgres refuses to run as root, and /etc/passwd knows nobody else: add a user (useradd).');
  }
  return account;
}

function ownerOf(folder: string): Ids | undefined {
  return statSync(folder, { throwIfNoEntry: false });
}

function giveTree(path: string, { uid, gid }: Ids): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (entry.uid !== uid || entry.gid !== gid) chownSync(path, uid, gid);
  if (entry.isDirectory()) for (const name of readdirSync(path)) giveTree(join(path, name), { uid, gid });
}
