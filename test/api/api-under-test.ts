import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { QueryResult } from 'pg';
import { pino } from 'pino';
import { expect, inject } from 'vitest';
import { callProvider } from '../../activities/call-provider.ts';
import { createApi } from '../../api/create-api.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import type { Endpoint } from '../../api/endpoint.ts';
import { type RunningApi, startApi } from '../../api/start-api.ts';
import { createCheckRules } from '../../checks/registry.ts';
import { ensureAdminToken } from '../../db/access/admin-token.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { LIMITS, type Limits } from '../../db/limits.ts';
import { createCredentialBox, KEY_BYTES } from '../../db/providers/credential-box.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import { createProviders } from '../../providers/providers.ts';
import { PROVIDER_KINDS } from '../../providers/registry.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createVmSignals, type VmSignals } from '../../temporal/vm-signals.ts';
import { sharedDatabaseState } from '../../workers/shared-database-state.ts';
import { type BreakableLink, breakableLink } from '../db/breakable-link.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { settingsOf } from '../support/settings.ts';
import '../support/provided.ts';
import { createAnswerCheck } from './declared-answers.ts';

export const OPERATOR_TOKEN = 'operator-token-of-the-tests';
const TABLES = ['vms', 'vm_status', 'check_configs', 'policies', 'api_tokens', 'audit_log', 'vm_agents', 'vm_metrics'];

export interface Reply {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of all shapes
  body: any;
  text: string;
}

export interface ApiUnderTest {
  url: string;
  database: Database;
  endpoints: readonly Endpoint[];
  /** Holds an answer against what its endpoint declares; `call` does so by itself. */
  checkAnswer: ReturnType<typeof createAnswerCheck>;
  /** Between the API and its database, with option `cuttable`. */
  link: BreakableLink;
  sockets: string;
  /** Every path that the API had judged, oldest first. */
  judgedSockets: readonly string[];
  client: Client;
  /** What the API's clock says; it stands still unless moved. */
  nowMs: number;
  logged(): string;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Reply>;
  /** One statement on its database. */
  sql(text: string, values?: unknown[]): Promise<QueryResult>;
  /** Rows of every table that requests may write to. */
  counts(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

export interface CallOptions {
  token?: string | null;
  headers?: Record<string, string>;
  /** Sent as it is. */
  raw?: string | Uint8Array<ArrayBuffer>;
}

/** The real API over HTTP, on a database of its own and the run's Temporal server. */
export async function startApiUnderTest(
  given: {
    settings?: Record<string, string>;
    temporalAddress?: string;
    /** Instead of a Temporal server. */
    temporal?: VmSignals;
    cuttable?: boolean;
    /** A migrated database, instead of one of its own. */
    databaseUrl?: string;
    limits?: Limits;
    /** As with `npm start`. */
    adminsReachThisMachine?: boolean;
  } = {},
): Promise<ApiUnderTest> {
  const { databaseUrl } = given;
  const testDatabase =
    databaseUrl === undefined ? await createTestDatabase() : { url: databaseUrl, drop: () => Promise.resolve() };
  const link = await breakableLink(testDatabase.url);
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const url = given.cuttable ? link.url : testDatabase.url;
  const database = openDatabase(url, {
    applicationName: 'api-test',
    limits: given.limits ?? LIMITS.requests,
    state: sharedDatabaseState(url, logger),
  });
  const sockets = realpathSync(mkdtempSync(join(tmpdir(), 'defib-qmp-')));
  const { address, namespace } = temporalOf(given.temporalAddress);
  const connection = Connection.lazy({ address });
  const client = new Client({ connection, namespace });
  const circuit = createCircuit(client);
  const settings = settingsOf({ QMP_SOCKET_DIRS: sockets, ...given.settings });
  const judgedSockets: string[] = [];
  const box = createCredentialBox(randomBytes(KEY_BYTES));
  const providers = createProviders(PROVIDER_KINDS, { settings, openCredentials: box.open });
  const egress = {
    allow: settings.CHECK_TARGETS_ALLOW,
    ownPorts: new Set([settings.TEMPORAL_PORT, settings.PORT]),
    adminsReachThisMachine: given.adminsReachThisMachine ?? false,
  };
  const state = { nowMs: Date.now() };
  await ensurePartitions(database.pool, state.nowMs);
  await ensureAdminToken(database, OPERATOR_TOKEN, new Date(state.nowMs));

  const dependencies: ApiDependencies = {
    database,
    temporal: given.temporal ?? createVmSignals(client, circuit, given.temporalAddress === undefined ? 3_000 : 500),
    settings,
    checks: createCheckRules(egress),
    providers: {
      sealCredentials: box.seal,
      call: async (site, call) => {
        if (call.call === 'register' && call.kind === 'qemu') judgedSockets.push(String(call.reference['qmpSocket']));
        if (site !== settings.DEFIB_SITE) return { ok: false, reason: 'unreachable', message: `no worker at ${site}` };
        return callProvider({ database, providers }, call);
      },
    },
    clock: () => state.nowMs,
    logger,
  };
  const api: RunningApi = await startApi(dependencies, { host: '127.0.0.1', port: 0 });
  const { endpoints } = createApi(dependencies);
  const checkAnswer = createAnswerCheck(endpoints);

  return {
    url: api.url,
    database,
    endpoints,
    checkAnswer,
    link,
    sockets,
    judgedSockets,
    client,
    get nowMs() {
      return state.nowMs;
    },
    set nowMs(value) {
      state.nowMs = value;
    },
    logged: () => lines.join(''),
    async call(method, path, body, { token = OPERATOR_TOKEN, headers = {}, raw } = {}) {
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const answer = await fetch(`${api.url}${path}`, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const text = await answer.text();
      const isJson = text !== '' && /json/.test(answer.headers.get('content-type') ?? '');
      const reply = { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : null, text };
      checkAnswer(method, path, reply);
      if (reply.status === 429 || reply.status === 503)
        expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
      return reply;
    },
    sql: (text, values = []) => database.pool.query(text, values),
    async counts() {
      const selects = TABLES.map((table) => `SELECT '${table}' AS name, count(*)::int AS rows FROM ${table}`);
      const { rows } = await database.pool.query(selects.join(' UNION ALL '));
      return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
    },
    async close() {
      await api.close(500);
      await database.close();
      await circuit.close();
      await connection.close();
      await link.close();
      await testDatabase.drop();
      rmSync(sockets, { recursive: true, force: true });
    },
  };
}

function temporalOf(given: string | undefined): { address: string; namespace: string } {
  if (given !== undefined) return { address: given, namespace: 'default' };
  const provided = inject('temporal');
  return provided.ok ? provided : { address: '127.0.0.1:1', namespace: 'default' };
}

let made = 0;

/** A VM on a provider of its own; the rest as given. */
export function aVm(more: Record<string, unknown> = {}): Record<string, unknown> {
  made += 1;
  return { name: `vm-${made}`, address: '192.0.2.10', provider: { kind: 'none' }, ...more };
}

/** Registers a VM and answers it. */
export async function registered(api: ApiUnderTest, more: Record<string, unknown> = {}, token = OPERATOR_TOKEN) {
  const reply = await api.call('POST', '/api/vms', aVm(more), { token });
  if (reply.status !== 201) throw new Error(`not registered: ${reply.text}`);
  return reply.body;
}

/** A token of a tenant of its own. */
export async function tenantToken(api: ApiUnderTest, tenantId: string, role = 'ADMIN'): Promise<string> {
  await api.call('POST', '/api/tenants', { id: tenantId, name: tenantId });
  const reply = await api.call('POST', '/api/tokens', { name: `${tenantId} ${role}`, role, tenantId });
  if (reply.status !== 201) throw new Error(`no token: ${reply.text}`);
  return reply.body.token;
}
