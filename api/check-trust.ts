import { AppError } from '../domain/app-error.ts';
import { ADMINS } from '../domain/roles.ts';
import type { Caller } from './caller.ts';

/**
 * Failures of a trusted check are evidence for a power action although it has never succeeded, so only administrators may trust
 * one.
 * @throws AppError `forbidden`
 */
export function refuseTrustBy({ role }: Caller, checks: readonly { trusted?: boolean | undefined }[]): void {
  if (ADMINS.includes(role) || checks.every(({ trusted }) => trusted === undefined)) return;
  throw new AppError('forbidden', `Only a token of role ${ADMINS.join(' or ')} may set "trusted"; yours is ${role}.`);
}
