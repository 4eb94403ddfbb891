import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemporalServer } from '../../local/temporal-finder.ts';

const GOOD = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';
const BUILT_BY_GO = 'temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)';
const OLD = 'temporal version 1.1.0 (Server 1.24.2, UI 2.28.0)';

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defib-finder-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that, asked for its version, answers this. */
function program(path: string, answer: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "${answer}"\n`);
  chmodSync(file, 0o755);
  return file;
}

function find(environment: NodeJS.ProcessEnv = {}, mayInstall = false) {
  const PATH = [join(folder, 'bin'), '/usr/bin', '/bin'].join(':');
  return findTemporalServer({
    environment: { PATH, HOME: folder, ...environment },
    log: (line) => lines.push(line),
    mayInstall,
  });
}

describe('the search for a Temporal server', () => {
  it('takes TEMPORAL_ADDRESS before all else', async () => {
    program('bin/temporal', GOOD);
    const found = await find({ TEMPORAL_ADDRESS: 'temporal.example:7233' });
    expect(found).toEqual({ kind: 'address', address: 'temporal.example:7233' });
    expect(lines).toEqual([]);
  });

  it('shows no secret to the programs that it asks', async () => {
    const shown = join(folder, 'shown');
    program('bin/temporal', `$(env >> ${shown})`);
    program('bin/go', `$(env >> ${shown}; echo go version go1.99)`);
    const secrets = {
      DEFIB_SECRET_KEY: 'sesame',
      DEFIB_ADMIN_TOKEN: 'sesame',
      DATABASE_URL: 'sesame',
      PGPASSWORD: 'sesame',
      TEMPORAL_API_KEY: 'sesame',
      TEMPORAL_TLS_CLIENT_KEY_DATA: 'sesame',
      TEMPORAL_GRPC_META_AUTHORIZATION: 'sesame',
    };
    await expect(find({ ...secrets, GOPROXY: 'off', GOFLAGS: '-mod=mod' }, true)).rejects.toThrow();
    const text = readFileSync(shown, 'utf8');
    expect(text).toContain('GOPROXY=off');
    expect(text).not.toContain('sesame');
  });

  it('takes the program on PATH before the cache', async () => {
    const path = program('bin/temporal', GOOD);
    program('.cache/defib/temporal/1.5.1/temporal', BUILT_BY_GO);
    expect(await find()).toEqual({ kind: 'program', path, from: 'PATH' });
  });

  it.each([
    ['is too old', OLD, 'is too old'],
    ['does not run', '"; exit 3; echo "', 'it does not run'],
  ])('explains in one line that the one on PATH %s, and takes the cache', async (_title, answer, reason) => {
    program('bin/temporal', answer);
    const path = program('.cache/defib/temporal/1.5.1/temporal', BUILT_BY_GO);
    expect(await find()).toEqual({ kind: 'program', path, from: 'cache' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(reason);
  });

  it('takes an earlier download from the cache that XDG_CACHE_HOME names', async () => {
    const path = program('xdg/defib/temporal/download/temporal-sdk-typescript-1.24.0', GOOD);
    expect(await find({ XDG_CACHE_HOME: join(folder, 'xdg') })).toEqual({ kind: 'program', path, from: 'cache' });
    expect(lines, 'nothing to tell when all is well').toEqual([]);
  });

  it('builds one with Go where there is nothing else, and finds it again', async () => {
    // The real build takes minutes: this go installs a program that answers like what it would have built.
    program('bin/go', `go version go1.25.3 linux/amd64`);
    const made = program('made', BUILT_BY_GO);
    writeFileSync(
      join(folder, 'bin/go'),
      `#!/bin/sh\nif [ "$1" = version ]; then echo "go version go1.25.3 linux/amd64"; else cp ${made} "$GOBIN/temporal"; fi\n`,
    );
    // An unreachable proxy makes the SDK's download fail with and without a network.
    const path = join(folder, '.cache/defib/temporal/1.5.1/temporal');
    const both = await withoutDownload(() => Promise.all([find({}, true), find({}, true)]));
    expect(both.map((found) => found.kind === 'program' && found.path)).toEqual([path, path]);
    expect(lines.filter((line) => line.includes('building the server with Go'))).toHaveLength(1);
    expect(await find()).toEqual({ kind: 'program', path, from: 'cache' });
  });

  it('explains each of the misses, then lists the choices', async () => {
    program('bin/go', 'go version go1.22.1 linux/amd64');
    await expect(withoutDownload(() => find({}, true))).rejects.toThrow(
      /TEMPORAL_ADDRESS.*on PATH.*download.*Go 1\.25/,
    );
    expect(lines.map((line) => line.replaceAll(folder, '~'))).toEqual([
      'Temporal: no `temporal` on PATH.',
      'Temporal: none in the cache (~/.cache/defib/temporal/1.5.1, ~/.cache/defib/temporal/download).',
      'Temporal: asking the SDK to download a server …',
      expect.stringMatching(/^Temporal: no download: .+\.$/),
      'Temporal: not built with Go: go version go1.22.1 linux/amd64 is older than 1.25.',
    ]);
  });
});

/** The SDK's download honours the proxy settings of the process. */
async function withoutDownload<T>(action: () => Promise<T>): Promise<T> {
  const before = process.env['HTTPS_PROXY'];
  process.env['HTTPS_PROXY'] = 'http://127.0.0.1:9';
  try {
    return await action();
  } finally {
    if (before === undefined) delete process.env['HTTPS_PROXY'];
    else process.env['HTTPS_PROXY'] = before;
  }
}
