import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '../../domain/app-error.ts';

/** Seals what must not be readable in the database or its backups. */
export interface CredentialBox {
  /** @throws AppError `unavailable` when this process has no key. */
  seal(value: unknown): string;
  /** @throws AppError `unavailable` when this process has no key, or not the one it was sealed with. */
  open(sealed: string): unknown;
}

/** Length of a key, in bytes: AES-256. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NO_KEY =
  'Credentials need a key here: set DEFIB_SECRET_KEY or DEFIB_SECRET_KEY_FILE, the same for all processes.';

/** A box with AES-256-GCM (NIST SP 800-38D), a fresh nonce for each value; `key` null = neither seals nor opens. */
export function createCredentialBox(key: Buffer | null): CredentialBox {
  return {
    seal(value) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', required(key), nonce);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`;
    },
    open(sealed) {
      const secret = required(key);
      try {
        const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const opened = [decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
        return JSON.parse(Buffer.concat(opened).toString('utf8'));
      } catch {
        // what the cipher says may hold parts of the value
        throw new AppError('unavailable', 'Credentials were sealed with another key: give this process that key.');
      }
    },
  };
}

function required(key: Buffer | null): Buffer {
  if (key === null) throw new AppError('unavailable', NO_KEY);
  return key;
}
