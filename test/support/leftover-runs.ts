import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftoverPostgres } from '../../local/embedded-postgres.ts';
import { claimFolder, folderHolder } from '../../local/folder-claim.ts';
import { endLeftoverTemporal } from '../../local/temporal-server.ts';

const PREFIX = 'defib-test-run-';

export interface RunFolder {
  readonly path: string;
  readonly remove: () => void;
}

/**
 * A folder (mode 0700) for servers that a test starts: Postgres in `postgres`, Temporal in `temporal`, so that the next
 * run finds and stops them should this one be killed.
 */
export function makeRunFolder(): RunFolder {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  claimFolder(path);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Stops the servers of test runs that were killed, and removes their folders. Runs that still go on are let be. */
export async function removeLeftoverRuns(log: (line: string) => void): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    // Without a claim it is either that of a run which begins this moment, or one of another user.
    if (!existsSync(join(folder, 'used-by')) || folderHolder(folder) !== undefined) continue;
    const [postgres, temporal] = [join(folder, 'postgres'), join(folder, 'temporal')];
    if (existsSync(postgres)) await endLeftoverPostgres(postgres, log);
    if (existsSync(temporal)) await endLeftoverTemporal(temporal, log);
    rmSync(folder, { recursive: true, force: true });
  }
}
