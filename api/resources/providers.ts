import { z } from 'zod';
import {
  findProviderInstance,
  findProviderInstances,
  type ProviderInstanceRow,
  type ProviderInstanceSettings,
  recordProviderInstance,
  recordProviderInstanceChanged,
  recordProviderInstanceRemoved,
} from '../../db/providers/provider-instances.ts';
import { AppError, type Problem } from '../../domain/app-error.ts';
import { ADMINS, OPERATORS } from '../../domain/roles.ts';
import type { ProviderKind } from '../../providers/provider.ts';
import { PROVIDER_KINDS } from '../../providers/registry.ts';
import type { Caller } from '../caller.ts';
import { BY_ID, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { authorOf, type RequestContext } from '../request-context.ts';
import {
  newProviderInput,
  providerChangeInput,
  providerExample,
  providerInstanceAnswer,
  providerListAnswer,
  providerListQuery,
  providerTestAnswer,
} from '../schemas/providers.ts';
import { requireKind } from '../vm-provider.ts';

const TAG = 'Providers';
const ENVIRONMENT = 'environment:';

type Answer = z.input<typeof providerInstanceAnswer>;

/** Clusters and hosts: those that people add, and those that the environment sets up. */
export function providerEndpoints(deps: ApiDependencies): Endpoint[] {
  const { database, settings, providers } = deps;

  const list = endpoint({
    id: 'listProviders',
    method: 'get',
    path: '/api/providers',
    tag: TAG,
    summary:
      'The providers that the tenant may use: those that were added, oldest first, then those of the environment',
    roles: ADMINS,
    query: providerListQuery,
    example: { query: { limit: 100 } },
    answers: {
      200: {
        description: 'At most 1,000 at a time',
        schema: providerListAnswer,
        example: { providers: [providerExample], nextCursor: null },
      },
    },
  }).handle(async ({ caller, query }) => {
    const { page, nextCursor } = await readPage(query, BY_ID, (afterId, limit) =>
      findProviderInstances(database, caller.tenantId, afterId, limit),
    );
    const environment = nextCursor === null ? environmentInstances(deps) : [];
    return ok({ providers: [...page.map(toAnswer), ...environment], nextCursor });
  });

  const add = endpoint({
    id: 'addProvider',
    method: 'post',
    path: '/api/providers',
    tag: TAG,
    summary: 'Adds a cluster or host',
    roles: ADMINS,
    body: newProviderInput,
    example: { body: { kind: 'qemu', name: 'rack-2', site: 'main' } },
    answers: { 201: { description: 'Added', schema: providerInstanceAnswer, example: providerExample } },
  })
    .judge(async ({ caller, body }) => {
      if (body.forEveryTenant) requireOperator(caller);
      if (body.kind === undefined) return { problems: [], found: null };
      const kind = requireManaged(caller, body.kind);
      const setup = { config: body.config ?? {}, credentials: body.credentials ?? null };
      return { problems: setupProblems(kind, setup), found: { kind: kind.kind, ...setup } };
    })
    .handle(async (call) => {
      const { body, caller, found } = call;
      const { name, site = settings.DEFIB_SITE, forEveryTenant = false } = body;
      const tenantId = forEveryTenant ? null : caller.tenantId;
      const credentials = sealed(deps, found.credentials);
      const instance = { kind: found.kind, tenantId, name, site, config: found.config, credentials };
      const made = await recordProviderInstance(database, instance, authorOf(call));
      if (made === null) throw nameTaken(name);
      return { status: 201, body: toAnswer(made) };
    });

  const change = endpoint({
    id: 'changeProvider',
    method: 'patch',
    path: '/api/providers/:providerId',
    tag: TAG,
    summary: 'Changes a provider that was added; absent fields stay',
    roles: ADMINS,
    body: providerChangeInput,
    example: { body: { name: 'rack-2b' } },
    answers: {
      200: {
        description: 'Changed',
        schema: providerInstanceAnswer,
        example: { ...providerExample, name: 'rack-2b' },
      },
    },
  })
    .judge(async (call) => {
      const before = await requireOwn(deps, call);
      const { config, credentials } = call.body;
      const problems = setupProblems(requireKind(before.kind), { config, credentials });
      return { problems, found: before };
    })
    .handle(async (call) => {
      const { credentials, ...said } = call.body;
      const change: Partial<ProviderInstanceSettings> = { ...said };
      if (credentials !== undefined) change.credentials = sealed(deps, credentials);
      const changed = await recordProviderInstanceChanged(database, call.found.id, change, authorOf(call));
      if (changed.ok) return ok(toAnswer(changed.row));
      if (changed.reason === 'name-taken') throw nameTaken(said.name ?? '');
      if (changed.reason !== 'site-used') throw noSuchProvider(call.found.id);
      const message = `is used by ${changed.vms} VMs, whose names hold only at its site: move them to another provider first`;
      throw new AppError('conflict', `site: ${message}`, { problems: [{ path: 'site', message }] });
    });

  const remove = endpoint({
    id: 'removeProvider',
    method: 'delete',
    path: '/api/providers/:providerId',
    tag: TAG,
    summary: 'Removes a provider that no VM uses',
    roles: ADMINS,
    answers: {
      200: { description: 'Removed', schema: z.object({ removed: z.literal(true) }), example: { removed: true } },
    },
  }).handle(async (call) => {
    const { id } = await requireOwn(deps, call);
    const vms = await recordProviderInstanceRemoved(database, id, authorOf(call));
    if (vms > 0)
      throw new AppError('conflict', `It is used by ${vms} VMs: delete them or move them to another provider.`);
    return ok({ removed: true });
  });

  const test = endpoint({
    id: 'testProvider',
    method: 'post',
    path: '/api/providers/:providerId/test',
    tag: TAG,
    summary: 'Tests the connection, from the workers of its site',
    roles: ADMINS,
    answers: {
      200: {
        description: 'Whether it can be reached',
        schema: providerTestAnswer,
        example: {
          reachable: false,
          reason: 'unreachable',
          message: 'no worker of site main took the question within 10 s: start a worker there, or correct the site',
        },
      },
    },
  }).handle(async (call) => {
    const { kind, site, instanceId } = await requireUsable(deps, call);
    const answer = await providers.call(site, { call: 'test', kind, instanceId });
    if (answer.ok) return ok({ reachable: true, reason: null, message: answer.detail });
    return ok({ reachable: false, reason: answer.reason, message: answer.message });
  });

  return [list, add, change, remove, test];
}

/** What this process's environment sets up. */
function environmentInstances({ settings }: Pick<ApiDependencies, 'settings'>): Answer[] {
  return PROVIDER_KINDS.flatMap((kind): Answer[] => {
    const setup = kind.fromSettings(settings);
    if (setup === null) return [];
    return [
      {
        id: `${ENVIRONMENT}${kind.kind}`,
        kind: kind.kind,
        name: kind.kind,
        site: settings.DEFIB_SITE,
        config: setup.config as Answer['config'],
        hasCredentials: setup.credentials !== null,
        source: 'environment',
        forEveryTenant: true,
        createdAt: null,
        updatedAt: null,
      },
    ];
  });
}

function toAnswer(row: ProviderInstanceRow): Answer {
  const { id, kind, name, site, config, credentials, tenantId, createdAt, updatedAt } = row;
  return {
    id,
    kind,
    name,
    site,
    config,
    hasCredentials: credentials !== null,
    source: 'stored',
    forEveryTenant: tenantId === null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** @throws AppError `forbidden` unless the caller may manage instances of this kind. */
function requireManaged(caller: Caller, kindName: string): ProviderKind {
  const kind = requireKind(kindName);
  if (kind.managedBy.includes(caller.role)) return kind;
  const who = kind.managedBy.length === 0 ? 'Nobody' : `Only ${kind.managedBy.join(' or ')}`;
  throw new AppError('forbidden', `${who} may add, change or remove providers of kind ${kindName}.`);
}

function requireOperator(caller: Caller): void {
  if (OPERATORS.includes(caller.role)) return;
  throw new AppError('forbidden', 'Only an OPERATOR may add providers for every tenant.');
}

type PathCall = Pick<RequestContext, 'caller' | 'params'>;

/** The instance that the path names, if the caller may use it. @throws AppError `not-found` */
async function requireUsable({ database, settings }: ApiDependencies, { caller, params }: PathCall) {
  const id = params.providerId ?? '';
  const environmentKind = id.startsWith(ENVIRONMENT) ? id.slice(ENVIRONMENT.length) : null;
  if (PROVIDER_KINDS.some(({ kind }) => kind === environmentKind)) {
    return { kind: environmentKind ?? '', site: settings.DEFIB_SITE, instanceId: null };
  }
  const row = await findProviderInstance(database, caller.tenantId, id);
  if (row === null) throw noSuchProvider(id);
  return { kind: row.kind, site: row.site, instanceId: row.id };
}

/** The instance that the path names, if the caller may change it. @throws AppError `not-found`, `forbidden` */
async function requireOwn({ database }: ApiDependencies, { caller, params }: PathCall): Promise<ProviderInstanceRow> {
  const id = params.providerId ?? '';
  if (id.startsWith(ENVIRONMENT)) {
    throw new AppError('conflict', "It is set up by the environment of Defib's processes: change it there.");
  }
  const row = await findProviderInstance(database, caller.tenantId, id);
  if (row === null) throw noSuchProvider(id);
  requireManaged(caller, row.kind);
  if (row.tenantId === null) requireOperator(caller);
  return row;
}

function setupProblems(
  kind: ProviderKind,
  { config, credentials }: { config?: unknown; credentials?: unknown },
): Problem[] {
  const refused = (field: 'config' | 'credentials', value: unknown): Problem[] => {
    if (value === undefined) return [];
    const issues = kind[field].safeParse(value).error?.issues ?? [];
    return issues.map(({ path, message }) => ({ path: [field, ...path].join('.'), message }));
  };
  return [...refused('config', config), ...refused('credentials', credentials)];
}

function sealed({ providers }: ApiDependencies, credentials: unknown): string | null {
  return credentials === null ? null : providers.sealCredentials(credentials);
}

function nameTaken(name: string): AppError {
  const problems = [{ path: 'name', message: 'is taken' }];
  return new AppError('conflict', `There is a provider "${name}" already.`, { problems });
}

function noSuchProvider(id: string): AppError {
  return new AppError('not-found', `There is no provider "${id.slice(0, 200)}".`);
}
