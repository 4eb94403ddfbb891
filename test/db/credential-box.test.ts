import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCredentialBox, KEY_BYTES } from '../../db/providers/credential-box.ts';
import { credentialBox } from '../../workers/credential-box.ts';

const SECRET = { token: 'hunter2' };

describe('a credential box', () => {
  it('opens what it sealed, and shows nothing of it meanwhile', () => {
    const box = createCredentialBox(randomBytes(KEY_BYTES));
    const sealed = box.seal(SECRET);
    expect(box.open(sealed)).toEqual(SECRET);
    expect(sealed).not.toContain('hunter2');
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('hunter2');
  });

  it('seals the same value differently each time', () => {
    const box = createCredentialBox(randomBytes(KEY_BYTES));
    expect(box.seal(SECRET)).not.toBe(box.seal(SECRET));
  });

  it('opens nothing that another key sealed, or that was changed', () => {
    const box = createCredentialBox(randomBytes(KEY_BYTES));
    const sealed = box.seal(SECRET);
    expect(() => createCredentialBox(randomBytes(KEY_BYTES)).open(sealed)).toThrow('sealed with another key');
    const changed = Buffer.from(sealed.slice(3), 'base64url');
    changed[changed.length - 1]! ^= 1;
    expect(() => box.open(`v1.${changed.toString('base64url')}`)).toThrow('sealed with another key');
    for (const garbage of ['', 'v1.', 'v1.AAAA', 'banana']) expect(() => box.open(garbage)).toThrow('another key');
  });

  it('says which setting is missing when there is no key', () => {
    const box = createCredentialBox(null);
    expect(() => box.seal(SECRET)).toThrow('set DEFIB_SECRET_KEY');
    expect(() => box.open('v1.AAAA')).toThrow('set DEFIB_SECRET_KEY');
  });
});

describe('the key of a process', () => {
  const key = randomBytes(KEY_BYTES).toString('hex');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'defib-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function keyFile(text: string, mode: number): string {
    const file = join(folder, 'key');
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  it('is the same from the environment and from a file', () => {
    const sealed = credentialBox({ DEFIB_SECRET_KEY: key }).seal(SECRET);
    expect(credentialBox({ DEFIB_SECRET_KEY_FILE: keyFile(`${key}\n`, 0o600) }).open(sealed)).toEqual(SECRET);
  });

  it('is refused from a file that others may read, or that holds something else', () => {
    expect(() => credentialBox({ DEFIB_SECRET_KEY_FILE: keyFile(key, 0o640) })).toThrow('chmod 600');
    expect(() => credentialBox({ DEFIB_SECRET_KEY_FILE: keyFile('hunter2', 0o600) })).toThrow(
      'must hold 64 hex digits',
    );
  });
});
