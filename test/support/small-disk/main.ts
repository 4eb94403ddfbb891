import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startPostgres } from '../../../local/embedded-postgres.ts';

/**
 * A Postgres whose data folder is on a small disk of its own: run in mount and process namespaces of its own, so that nobody
 * else sees the disk, and both end with this process.
 */
const [folder = '', port = '', megabytes = ''] = process.argv.slice(2);
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'none', folder]);
const settings = { min_wal_size: '32MB', max_wal_size: '64MB', shared_buffers: '16MB' };
const { url } = await startPostgres({
  dataDir: join(folder, 'postgres'),
  port: Number(port),
  throwaway: true,
  settings,
});
process.stdout.write(`ready: ${url}\n`);
setInterval(() => undefined, 60_000);
