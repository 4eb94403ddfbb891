import { AppError } from '../domain/app-error.ts';
import { ADMINS } from '../domain/roles.ts';
import type { Caller } from './caller.ts';

/**
 * Failures of a trusted check may act on a VM's power though it has never succeeded: only administrators say that of one.
 * @throws AppError `forbidden`
 */
export function refuseTrustBy({ role }: Caller, checks: readonly { trusted?: boolean | undefined }[]): void {
  if (ADMINS.includes(role) || checks.every(({ trusted }) => trusted === undefined)) return;
  throw new AppError('forbidden', `Only a token of role ${ADMINS.join(' or ')} may set "trusted"; yours is ${role}.`);
}
