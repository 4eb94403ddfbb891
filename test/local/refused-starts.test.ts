import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts, newUsersCheckout } from '../support/defib-process.ts';
import { boundByPermissions, onAMount } from '../support/on-a-mount.ts';
import { startProgram } from '../support/program.ts';
import { describeNeeding } from '../support/requirements.ts';

const NPM_START = [process.execPath, '--import', 'tsx', 'local/main.ts'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defib-refused-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

/** What `npm start` says when it can't start, and its exit code. */
async function refusedStart(
  settings: Readonly<Record<string, string>>,
  within: (command: readonly string[]) => string[] = (command) => [...command],
): Promise<{ code: number | NodeJS.Signals; said: string }> {
  const ports = Object.entries(await freePorts()).map(([name, port]) => [name, String(port)]);
  const env = { ...newUsersCheckout(), ...Object.fromEntries(ports), ...settings };
  const program = startProgram(within(NPM_START), { env, endWithUs: 'KILL' });
  const code = await program.ended;
  return { code, said: `${program.out()}${program.err()}` };
}

const line = (problem: string) => ({ code: 1, said: `The settings can't be used: ${problem}\n` });

describe('npm start ends in one line and with exit code 1', () => {
  it('where its data folder is a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await refusedStart({ DEFIB_DATA_DIR: file })).toEqual(
      line(`DEFIB_DATA_DIR: ${file} can't be used: it is a file, not a folder (EEXIST)`),
    );
  });

  it('where it may not make its data folder', async () => {
    chmodSync(folder, 0o500);
    const dataDir = join(folder, 'data');
    expect(await refusedStart({ DEFIB_DATA_DIR: dataDir }, boundByPermissions)).toEqual(
      line(
        `DEFIB_DATA_DIR: ${dataDir} can't be used: this user may not write there (EACCES; of it, ${folder} is there)`,
      ),
    );
  });

  it('where two settings choose one port', async () => {
    const settings = { DEFIB_DATA_DIR: join(folder, 'data'), PORT: '4000', TEMPORAL_UI_PORT: '4000' };
    expect(await refusedStart(settings)).toEqual(
      line('PORT, TEMPORAL_UI_PORT: both are 4000, and each needs a port of its own'),
    );
  });
});

describe('npm start', () => {
  it('names every problem at once', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, said } = await refusedStart({
      DEFIB_DATA_DIR: file,
      PORT: '4000',
      POSTGRES_PORT: '4000',
      TEMPORAL_CONFIG_FILE: '/no/temporal.toml',
    });
    expect(said.split('\n')).toEqual([
      "The settings can't be used:",
      "  TEMPORAL_CONFIG_FILE: /no/temporal.toml can't be read (ENOENT)",
      '  PORT, POSTGRES_PORT: both are 4000, and each needs a port of its own',
      `  DEFIB_DATA_DIR: ${file} can't be used: it is a file, not a folder (EEXIST)`,
      '',
    ]);
    expect(code).toBe(1);
  });
});

describeNeeding(['small-disk'], 'npm start ends in one line and with exit code 1 where the disk of its data', () => {
  it('is read-only', async () => {
    const readOnly = (command: readonly string[]) => onAMount(folder, 'ro', command);
    const dataDir = join(folder, 'data');
    expect(await refusedStart({ DEFIB_DATA_DIR: dataDir }, readOnly)).toEqual(
      line(
        `DEFIB_DATA_DIR: ${dataDir} can't be used: it is on a read-only file system (EROFS; of it, ${folder} is there)`,
      ),
    );
  });

  it('is read-only, and the folder is there', async () => {
    const readOnly = (command: readonly string[]) => onAMount(folder, 'ro,mode=0700', command);
    expect(await refusedStart({ DEFIB_DATA_DIR: folder }, readOnly)).toEqual(
      line(`DEFIB_DATA_DIR: ${folder} can't be used: it is on a read-only file system (EROFS)`),
    );
  });

  it('is full', async () => {
    const full = (command: readonly string[]) => onAMount(folder, 'size=4k', command);
    expect(await refusedStart({ DEFIB_DATA_DIR: folder }, full)).toEqual(
      line(`DEFIB_DATA_DIR: ${folder} can't be used: its disk is full (ENOSPC)`),
    );
  });

  it('is almost full', async () => {
    const small = (command: readonly string[]) => onAMount(folder, 'size=20m', command);
    expect(await refusedStart({ DEFIB_DATA_DIR: folder }, small)).toEqual(
      line(`DEFIB_DATA_DIR: ${folder} can't be used: its disk has 20 MB left, and 128 MB are needed`),
    );
  });
});
