import { existsSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderHolder } from '../../local/folder-claim.ts';
import { endLeftoverPostgres } from '../../local/leftover-postgres.ts';
import { endLeftoverTemporal } from '../../local/leftover-temporal.ts';

export const RUN_FOLDER_PREFIX = 'defib-test-run-';

/** Stops the servers of test runs that were killed, and removes their folders. Runs that still go on are let be. */
export async function removeLeftoverRuns(log: (line: string) => void): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(RUN_FOLDER_PREFIX))) {
    const folder = join(tmpdir(), name);
    // Without a claim it is either that of a run which begins this moment, or one of another user.
    if (!existsSync(join(folder, 'used-by')) || folderHolder(folder) !== undefined) continue;
    const cluster = join(folder, 'postgres', 'data');
    if (existsSync(cluster)) await endLeftoverPostgres(cluster, log);
    const temporal = join(folder, 'temporal');
    if (existsSync(temporal)) await endLeftoverTemporal(temporal, log);
    rmSync(folder, { recursive: true, force: true });
  }
}
