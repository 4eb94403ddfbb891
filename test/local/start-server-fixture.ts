import { startPostgres } from '../../local/embedded-postgres.ts';
import { startTemporalServer } from '../../local/temporal-server.ts';

/** Starts one server, says its process id, and waits to be killed. */
const [kind, dataDir = '', port = '', program = ''] = process.argv.slice(2);
const log = (line: string) => console.error(line);
const server =
  kind === 'postgres'
    ? await startPostgres({ dataDir, port: Number(port), log })
    : await startTemporalServer({ path: program, dataDir, port: Number(port), log });
console.log(JSON.stringify({ pid: server.pid }));
setInterval(() => undefined, 1_000);
