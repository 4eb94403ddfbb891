import { z } from 'zod';
import type { VmRecord } from '../db/fleet/find-vms.ts';
import type { NewVm, VmConflict } from '../db/fleet/vm-registration.ts';
import { findProviderInstance } from '../db/providers/provider-instances.ts';
import { AppError, type Problem } from '../domain/app-error.ts';
import type { JsonValue } from '../domain/json-value.ts';
import type { ProviderCallAnswer } from '../domain/provider-call.ts';
import type { ProviderReference } from '../domain/provider-reference.ts';
import type { ProviderKind } from '../providers/provider.ts';
import { PROVIDER_KINDS } from '../providers/registry.ts';
import type { Caller } from './caller.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { Judged } from './endpoint.ts';
import { unavailable } from './problems.ts';
import { text } from './schemas/fields.ts';

const KINDS = new Map(PROVIDER_KINDS.map((kind) => [kind.kind, kind]));
const kindNames = PROVIDER_KINDS.map(({ kind }) => kind);
const instance = text(200)
  .describe('id or name of a provider of /api/providers; without: the one of its site')
  .optional();

const [firstReference, ...furtherReferences] = PROVIDER_KINDS.map(({ reference }) => reference.extend({ instance }));
if (firstReference === undefined) throw new Error('there is no provider');

export const providerInput = z.discriminatedUnion(
  'kind',
  [firstReference, ...furtherReferences],
  `must be ${PROVIDER_KINDS.map(({ example }) => JSON.stringify(example)).join(' or ')}`,
);

export const providerKind = z.enum(kindNames, `must be ${kindNames.join(' or ')}`);

export const providerAnswer = z
  .looseObject({ kind: z.string(), instance: z.string().optional() })
  .describe('to those who may not name VMs there: the kind alone');

/** A provider as it is stored, and the name that no other VM may have. */
export type JudgedProvider = Pick<NewVm, 'provider' | 'providerKey' | 'providerInstanceId'>;

/** The same with what people should know although the VM may be registered there. */
export interface FoundProvider {
  stored: JudgedProvider;
  warnings: string[];
}

/** @throws Error for a kind that was stored by another version of Defib. */
export function requireKind(name: string): ProviderKind {
  const kind = KINDS.get(name);
  if (kind === undefined) throw new Error(`no provider of kind ${name}`);
  return kind;
}

/**
 * Whether this caller may register a VM of that site at this provider; nothing is found where none was sent.
 * @throws AppError `forbidden` when the caller may not name VMs there, `unavailable` when the provider's site doesn't answer
 */
export async function judgeProvider(
  { database, providers }: Pick<ApiDependencies, 'database' | 'providers'>,
  caller: Caller,
  sent: z.output<typeof providerInput> | undefined,
  vmSite: string,
): Promise<Judged<FoundProvider>> {
  if (sent === undefined) return { problems: [], found: null };
  const { instance: instanceName, ...named } = sent;
  const { kind } = requireKind(named.kind);
  refuseToMove({ provider: named }, caller);
  const instance =
    instanceName === undefined ? null : await findProviderInstance(database, caller.tenantId, instanceName);
  if (instanceName !== undefined && instance?.kind !== kind) {
    return {
      problems: [{ path: 'provider.instance', message: `there is no ${kind} provider of that name` }],
      found: null,
    };
  }
  const instanceId = instance?.id ?? null;
  const reference = named as { [field: string]: JsonValue };
  const answer = await providers.call(instance?.site ?? vmSite, { kind, instanceId, call: 'register', reference });
  if (answer.ok && answer.registered) {
    const { reference: provider, key: providerKey, warning = null } = answer.registered;
    const stored = { provider, providerKey, providerInstanceId: instanceId };
    return { problems: [], found: { stored, warnings: warning === null ? [] : [warning] } };
  }
  return { problems: refusalsOf(answer), found: null };
}

/** @throws AppError `forbidden` when the caller may not name VMs where this one is, and so not take it from there either */
export function refuseToMove({ provider }: Pick<VmRecord, 'provider'>, { role }: Caller): void {
  const { namedBy } = requireKind(provider.kind);
  if (!namedBy.roles.includes(role)) throw new AppError('forbidden', namedBy.refusal);
}

/** @throws AppError `unavailable` when nobody answered */
function refusalsOf(answer: ProviderCallAnswer): Problem[] {
  if (answer.ok) return [{ path: 'provider', message: 'said nothing about it' }];
  if (answer.problems) return answer.problems.map(({ path, message }) => ({ path: `provider.${path}`, message }));
  if (answer.reason === 'unreachable') throw unavailable(`The provider could not be asked: ${answer.message}`);
  return [{ path: 'provider', message: answer.message }];
}

/** A VM's provider as this caller may see it. */
export function toProviderAnswer(
  { provider, providerInstance }: Pick<VmRecord, 'provider' | 'providerInstance'>,
  caller: Caller,
): z.input<typeof providerAnswer> {
  const { kind } = provider;
  if (!requireKind(kind).namedBy.roles.includes(caller.role)) return { kind };
  return { ...provider, ...(providerInstance === null ? {} : { instance: providerInstance }) };
}

/** Names everything that is taken; of another tenant's VM only that there is one. */
export function conflictOf(conflicts: readonly VmConflict[], provider: ProviderReference): AppError {
  const problems = conflicts.map(({ what, vmId }) => ({
    path: what === 'externalId' ? 'externalId' : keyPathOf(provider),
    message: `is registered already${vmId === null ? '' : `, as VM ${vmId}`}`,
  }));
  const sentences = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new AppError('conflict', sentences === '' ? 'This VM is registered already.' : sentences, { problems });
}

/** The field by which a VM is named there, where it is only one. */
function keyPathOf(provider: ProviderReference): string {
  const names = Object.keys(provider).filter((name) => name !== 'kind');
  return names.length === 1 ? `provider.${names[0]}` : 'provider';
}
