import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningPostgres, startPostgres } from '../../local/embedded-postgres.ts';
import { environment } from '../../local/environment.mjs';
import { findFreePort } from '../../local/ports.ts';
import { isRunning } from '../../local/processes.ts';
import { makeRunFolder, type RunFolder } from '../support/leftover-runs.ts';
import { serverOfKilledParent } from './killed-parent.ts';

let folder: RunFolder;
let port: number;
let running: RunningPostgres | undefined;
beforeEach(async () => {
  folder = makeRunFolder();
  port = await findFreePort();
});
afterEach(async () => {
  await running?.stop();
  folder.remove();
});

async function start(overrides: { port?: number; log?: (line: string) => void } = {}): Promise<RunningPostgres> {
  running = await startPostgres({ dataDir: join(folder.path, 'postgres'), port, ...overrides });
  return running;
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

describe('embedded Postgres', () => {
  it('starts in a folder with mode 0700, keeps its data, and may be stopped twice', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await Promise.all([first.stop(), first.stop()]);
    expect(isRunning(first.pid)).toBe(false);
    const second = await start();
    expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
    expect(second.url).toBe(first.url);
  });

  it('lets nobody in without the password, which only its owner can read', async () => {
    const { url } = await start();
    const without = new URL(url);
    without.password = 'guess';
    await expect(ask(without.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect(statSync(join(folder.path, 'postgres', 'password')).mode & 0o777).toBe(0o600);
    expect(await ask(url, 'show listen_addresses')).toEqual(['127.0.0.1']);
    expect(await ask(url, 'show unix_socket_directories')).toEqual(['']);
    expect(await ask(url, 'show server_encoding')).toEqual(['UTF8']);
    expect(await ask(url, 'show synchronous_commit')).toEqual(['on']);
  });

  it('gets none of our secrets in its environment', async () => {
    environment['DEFIB_SECRET_KEY'] = 'sesame-of-a-test';
    try {
      const { pid } = await start();
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('sesame-of-a-test');
    } finally {
      delete environment['DEFIB_SECRET_KEY'];
    }
  });

  it('stops the server that a killed process left behind, and carries on with its data', async () => {
    const dataDir = join(folder.path, 'postgres');
    const pid = await serverOfKilledParent('postgres', dataDir, String(port));
    expect(isRunning(pid)).toBe(true);
    const lines: string[] = [];
    await start({ log: (line) => lines.push(line) });
    expect(isRunning(pid)).toBe(false);
    expect(lines).toEqual([`Stopping the Postgres that an earlier run left behind (process ${pid}).`]);
  });

  it('starts again after kill -9 of Postgres itself, with what was committed', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start();
    expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
  });

  it('neither signals nor is held up by a stranger who has the old process id', async () => {
    const first = await start();
    await first.stop();
    const stranger = spawn('sleep', ['60']);
    const cluster = join(folder.path, 'postgres', 'data');
    writeFileSync(join(cluster, 'postmaster.pid'), `${stranger.pid}\n${cluster}\n1\n${port}\n\n127.0.0.1\n\nready\n`);
    const second = await start();
    expect(await ask(second.url, 'select 1')).toEqual([1]);
    expect(isRunning(stranger.pid!)).toBe(true);
    stranger.kill();
  });

  it('begins anew after a first start that was cut short', async () => {
    const unfinished = join(folder.path, 'postgres', 'data.unfinished');
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'PG_VERSION'), '18\n');
    const { url } = await start();
    expect(await ask(url, 'select 1')).toEqual([1]);
  });

  it('says in one line that its port is taken, and leaves the other alone', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await expect(start()).rejects.toThrow(
      `Postgres can't listen on 127.0.0.1:${port}: the port is in use. Stop what uses it, or choose another port with POSTGRES_PORT=…`,
    );
    expect(other.listening).toBe(true);
    await new Promise((resolve) => other.close(resolve));
  });
});
