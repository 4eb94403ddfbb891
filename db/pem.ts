import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type PemKind = 'certificate' | 'private key without a passphrase';

/**
 * The text of a file that must hold this. What is wrong is added to `problems`, in a sentence that begins with `name` and shows
 * nothing of the file's content.
 */
export function readPemFile(name: string, file: string, kind: PemKind, problems: string[]): string | undefined {
  try {
    const pem = readFileSync(file, 'utf8');
    if (isPem(pem, kind)) return pem;
    problems.push(`${name}: ${file} holds no ${kind} (PEM)`);
  } catch (error) {
    problems.push(`${name}: ${file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'no reason given'})`);
  }
  return undefined;
}

/** Whether a text is this, in PEM; of several certificates the first is looked at. */
export function isPem(text: string, kind: PemKind): boolean {
  try {
    return kind === 'certificate'
      ? new X509Certificate(text).raw.length > 0
      : createPrivateKey(text).type === 'private';
  } catch {
    return false;
  }
}

/** Whether the key is that of the certificate; both are known to be what they should. */
export function isPair(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}
