import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimFolder, folderHolder } from '../../local/folder-claim.ts';
import { noteProcess } from '../../local/processes.ts';
import { until } from '../../local/until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defib-claim-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a data folder', () => {
  it('is refused while another living process uses it', async () => {
    const other = spawn('sleep', ['60']);
    noteProcess(join(folder, 'used-by'), other.pid!);
    expect(() => claimFolder(folder)).toThrow(`is in use by process ${other.pid}`);
    other.kill();
    await until(() => folderHolder(folder) === undefined);
    const release = claimFolder(folder);
    expect(folderHolder(folder)).toBe(process.pid);
    release();
    expect(folderHolder(folder)).toBeUndefined();
  });
});
