import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, prepareDataFolder } from '../../local/data-folder.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'defib-data-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe('a data folder', () => {
  it('is made for its owner alone, and nothing is left in it', () => {
    const folder = join(parent, 'a', 'b');
    expect(prepareDataFolder(folder, 1)).toBeNull();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(folder, 0o755);
    expect(prepareDataFolder(folder, 1)).toBeNull();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('may be a link to one', () => {
    mkdirSync(join(parent, 'elsewhere'));
    symlinkSync(join(parent, 'elsewhere'), join(parent, 'link'));
    expect(prepareDataFolder(join(parent, 'link'), 1)).toBeNull();
  });

  it('is refused where a file is, or under one', () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    expect(prepareDataFolder(file, 1)).toBe('it is a file, not a folder (EEXIST)');
    expect(makeFolder(join(file, 'sub'))).toBe(
      `it is under a file, not under a folder (ENOTDIR; of it, ${file} is there)`,
    );
  });

  it('is refused where its links lead nowhere', () => {
    const link = join(parent, 'link');
    symlinkSync(link, link);
    expect(prepareDataFolder(join(link, 'sub'), 1)).toMatch(/^its links lead in a circle \(ELOOP/);
    expect(existsSync(link)).toBe(false);
  });

  it('is refused where less is free than needed', () => {
    expect(prepareDataFolder(parent, Number.MAX_SAFE_INTEGER)).toMatch(
      /^its disk has \d+ MB left, and 9007199254740991 MB are needed$/,
    );
  });
});
