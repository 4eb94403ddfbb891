import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newUsersEnvironment } from '../support/defib-process.ts';
import { ROOT, startProgram } from '../support/program.ts';

const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defib-env-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What `npm start` says in this folder: by two equal ports it can't start, and tells which settings it has. */
async function startHere(settings: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const command = [process.execPath, '--import', LOADER, join(ROOT, 'local/main.ts')];
  const env = { ...newUsersEnvironment(), DEFIB_DATA_DIR: join(folder, 'data'), ...settings };
  const program = startProgram(command, { env, cwd: folder, endWithUs: 'KILL' });
  expect(await program.ended).toBe(1);
  return `${program.out()}${program.err()}`.trimEnd().split('\n');
}

const bothAre = (names: string, port: number) =>
  `The settings can't be used: ${names}: both are ${port}, and each needs a port of its own`;

describe('the settings in .env', () => {
  it('are read by npm start, which says so in one line', async () => {
    writeFileSync(join(folder, '.env'), '# a comment\nPORT=4000\nTEMPORAL_UI_PORT="4000"\n');
    expect(await startHere()).toEqual([
      'Settings from .env: PORT, TEMPORAL_UI_PORT.',
      bothAre('PORT, TEMPORAL_UI_PORT', 4000),
    ]);
  });

  it('count for less than what the shell sets, also when that is empty', async () => {
    writeFileSync(join(folder, '.env'), 'PORT=4000\nTEMPORAL_PORT=4000\nTEMPORAL_UI_PORT=4001\nDEFIB_SITE=No Site\n');
    expect(await startHere({ PORT: '4001', DEFIB_SITE: '' })).toEqual([
      'Settings from .env: TEMPORAL_PORT, TEMPORAL_UI_PORT.',
      bothAre('PORT, TEMPORAL_UI_PORT', 4001),
    ]);
  });

  it('may all be set already', async () => {
    writeFileSync(join(folder, '.env'), 'PORT=4000\n');
    expect(await startHere({ PORT: '4001', POSTGRES_PORT: '4001' })).toEqual([
      'Settings from .env: none that are not set already.',
      bothAre('PORT, POSTGRES_PORT', 4001),
    ]);
  });

  it('are not spoken of where there is no such file', async () => {
    expect(await startHere({ PORT: '4001', POSTGRES_PORT: '4001' })).toEqual([bothAre('PORT, POSTGRES_PORT', 4001)]);
  });

  it('keep npm start from starting where they can not be read', async () => {
    mkdirSync(join(folder, '.env'));
    expect(await startHere()).toEqual([expect.stringMatching(/^\.env can't be read: \S.*\.$/)]);
  });
});
