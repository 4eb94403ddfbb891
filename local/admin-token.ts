import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AdminToken {
  token: string;
  /** How a person gets in, to be printed; the token itself is in it only the first time. */
  howToGetIn: string;
}

/** The administrator's token: the preset one, that of an earlier start, or a new one, kept in a file of mode 0600. */
export function adminToken(dataDir: string, preset: string | undefined): AdminToken {
  if (preset !== undefined) return { token: preset, howToGetIn: 'the one you set in DEFIB_ADMIN_TOKEN' };
  const file = join(dataDir, 'admin-token');
  if (existsSync(file)) {
    return { token: readFileSync(file, 'utf8').trim(), howToGetIn: `the one in ${file}` };
  }
  const token = `defib_${randomBytes(24).toString('base64url')}`;
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { token, howToGetIn: `${token}  (shown once; kept in ${file})` };
}
