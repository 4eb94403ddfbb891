import { isUtf8 } from 'node:buffer';
import { AppError } from '../domain/app-error.ts';

/**
 * Decoders put U+FFFD in place of bytes that are no UTF-8, and two different names would be
 * stored as one; JSON between systems is UTF-8 (RFC 8259 8.1).
 * @throws AppError `unsupported-media-type`, `bad-request`
 */
export function requireUtf8(body: Uint8Array, charset: string): void {
  if (charset !== 'utf-8') throw new AppError('unsupported-media-type', 'The body must be JSON in UTF-8.');
  if (!isUtf8(body)) throw new AppError('bad-request', 'The body is not valid UTF-8.');
}
