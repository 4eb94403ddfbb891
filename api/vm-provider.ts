import { z } from 'zod';
import type { NewVm, VmConflict } from '../db/fleet/vm-registration.ts';
import { AppError } from '../domain/app-error.ts';
import type { ProviderReference } from '../domain/provider-reference.ts';
import { ADMINS, type Caller } from './caller.ts';
import type { Judged } from './endpoint.ts';

/** Whether a QMP socket may be registered; `key` is one per socket over all tenants, `qmpSocket` the path to store. */
export type QmpSocketRule = (
  path: string,
) => Promise<{ ok: true; key: string; qmpSocket: string } | { ok: false; message: string }>;

export const providerInput = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('qemu'), qmpSocket: z.string('must be a path').max(4_096) }),
    z.strictObject({ kind: z.literal('local') }),
  ],
  'must be {"kind":"qemu","qmpSocket":"/path"} or {"kind":"local"}',
);

export const providerKind = z.enum(['qemu', 'local'], 'must be qemu or local');

export const providerAnswer = z.object({
  kind: z.string(),
  qmpSocket: z.string().describe('shown to administrators').optional(),
});

/** A provider as it is stored, and the name that no other VM may have. */
export type JudgedProvider = Pick<NewVm, 'provider' | 'providerKey'>;

/**
 * Whether this caller may register a VM at this provider; nothing is found where none was sent.
 * @throws AppError `forbidden` when the caller may not name sockets
 */
export async function judgeProvider(
  rule: QmpSocketRule,
  caller: Caller,
  provider: ProviderReference | undefined,
): Promise<Judged<JudgedProvider>> {
  if (provider === undefined) return { problems: [], found: null };
  if (provider.kind === 'local') return { problems: [], found: { provider, providerKey: null } };
  if (!mayNameSockets(caller)) {
    throw new AppError('forbidden', 'Only administrators may set provider.qmpSocket: it is a file of the host.');
  }
  const judged = await rule(provider.qmpSocket);
  if (!judged.ok) return { problems: [{ path: 'provider.qmpSocket', message: judged.message }], found: null };
  return { problems: [], found: { provider: { kind: 'qemu', qmpSocket: judged.qmpSocket }, providerKey: judged.key } };
}

/** A VM's provider as this caller may see it. */
export function toProviderAnswer(provider: ProviderReference, caller: Caller): z.input<typeof providerAnswer> {
  const { kind } = provider;
  return kind === 'qemu' && mayNameSockets(caller) ? { kind, qmpSocket: provider.qmpSocket } : { kind };
}

/** Names everything that is taken; of another tenant's VM only that there is one. */
export function conflictOf(conflicts: readonly VmConflict[]): AppError {
  const problems = conflicts.map(({ what, vmId }) => ({
    path: what === 'externalId' ? 'externalId' : 'provider.qmpSocket',
    message: `is registered already${vmId === null ? '' : `, as VM ${vmId}`}`,
  }));
  const sentences = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new AppError('conflict', sentences === '' ? 'This VM is registered already.' : sentences, { problems });
}

/** QMP sockets are files of the host: only administrators name them, and only they see them. */
function mayNameSockets(caller: Caller): boolean {
  return ADMINS.includes(caller.role);
}
