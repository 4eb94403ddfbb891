import { readFileSync, statSync } from 'node:fs';
import { type CredentialBox, createCredentialBox } from '../db/providers/credential-box.ts';
import type { Settings } from '../domain/settings.ts';

type KeySettings = Pick<Settings, 'DEFIB_SECRET_KEY' | 'DEFIB_SECRET_KEY_FILE'>;

const HEX_KEY = /^[0-9a-f]{64}$/i;
const OTHERS = 0o077;

/**
 * The box that seals credentials, with the key from the environment or from a file that its owner alone may read; without
 * either it refuses. @throws Error that says what is wrong with the file.
 */
export function credentialBox({ DEFIB_SECRET_KEY: key, DEFIB_SECRET_KEY_FILE: file }: KeySettings): CredentialBox {
  if (key !== undefined) return createCredentialBox(Buffer.from(key, 'hex'));
  return createCredentialBox(file === undefined ? null : readKey(file));
}

function readKey(file: string): Buffer {
  if ((statSync(file).mode & OTHERS) !== 0) {
    throw new Error(`DEFIB_SECRET_KEY_FILE: others may read ${file}; allow its owner alone: chmod 600 ${file}`);
  }
  const text = readFileSync(file, 'utf8').trim();
  if (!HEX_KEY.test(text)) throw new Error(`DEFIB_SECRET_KEY_FILE: ${file} must hold 64 hex digits and nothing else`);
  return Buffer.from(text, 'hex');
}
