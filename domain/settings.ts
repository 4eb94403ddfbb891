import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(1).max(65535).default(fallback);
const positive = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
const ranges = z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]));
const optional = z.string().min(1).optional();
const label = (pattern: RegExp, allowed: string) =>
  z.string().regex(pattern, `must be at most 100 ${allowed}, and not begin with __`).optional();
const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL like postgres://user:password@host:5432/database',
});
const secretKey = z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits, e.g. of `openssl rand -hex 32`');

/** Every setting, its default and what it is for. Parsed once at start; nothing else reads the environment. */
const schema = z.object({
  DEFIB_DATA_DIR: z.string().min(1).default('.defib').describe('where `npm start` keeps its data'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address the API binds to'),
  PORT: port(3000).describe('port of the API'),
  TEMPORAL_PORT: port(7233).describe('port of the Temporal server that `npm start` runs'),
  TEMPORAL_UI_PORT: port(8233).describe('port of its Web UI'),
  POSTGRES_PORT: port(15432).describe('port of the Postgres that `npm start` runs'),
  DATABASE_URL: postgresUrl
    .optional()
    .describe('Postgres to use instead of the embedded one; TLS by `sslmode` and the like in it (docs/connections.md)'),
  PGSSLMODE: optional.describe('`sslmode` where DATABASE_URL has none: disable, require, verify-ca or verify-full'),
  PGSSLROOTCERT: optional.describe(
    '`sslrootcert` where DATABASE_URL has none: a file with the authorities of Postgres',
  ),
  PGSSLCERT: optional.describe("`sslcert` where DATABASE_URL has none: a file with Defib's certificate for Postgres"),
  PGSSLKEY: optional.describe('`sslkey` where DATABASE_URL has none: a file with the key of that certificate'),
  TEMPORAL_ADDRESS: optional.describe('host:port of a Temporal server to use instead of the one `npm start` runs'),
  TEMPORAL_NAMESPACE: optional.describe("Temporal namespace; without one that of the profile, else 'default'"),
  TEMPORAL_CONFIG_FILE: optional.describe(
    "a file of Temporal's client configuration (TOML), as the temporal CLI writes it (docs/connections.md)",
  ),
  TEMPORAL_PROFILE: optional.describe('which profile of that file counts, or of the one in its usual place'),
  TEMPORAL_API_KEY: optional.describe('API key for Temporal; makes the connection one with TLS'),
  TEMPORAL_TLS: z
    .stringbool('must be true or false')
    .optional()
    .describe(
      'whether to connect to Temporal with TLS; default: where an API key or a TEMPORAL_TLS_… setting asks for it',
    ),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: optional.describe('a file with the authorities of the Temporal server (PEM)'),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: optional.describe('those authorities themselves instead'),
  TEMPORAL_TLS_SERVER_NAME: optional.describe(
    "the name in the Temporal server's certificate, where it is not the host",
  ),
  TEMPORAL_TLS_CLIENT_CERT_PATH: optional.describe("a file with Defib's certificate for Temporal (mTLS, PEM)"),
  TEMPORAL_TLS_CLIENT_CERT_DATA: optional.describe('that certificate itself instead'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: optional.describe('a file with the key of that certificate (PEM)'),
  TEMPORAL_TLS_CLIENT_KEY_DATA: optional.describe('that key itself instead'),
  TEMPORAL_DEPLOYMENT_NAME: label(/^(?!__)[\w-]{1,100}$/, 'letters, digits, - and _').describe(
    'with a build id: name of the versioned deployment that this worker belongs to, the same for all builds (docs/upgrading.md)',
  ),
  TEMPORAL_WORKER_BUILD_ID: label(/^(?!__)[\w.+-]{1,100}$/, 'letters, digits, . + - and _').describe(
    'with a deployment name: which build this worker is; gets no work until the build is made current',
  ),
  DEFIB_ADMIN_TOKEN: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .describe("presets the administrator's token"),
  DEFIB_SITE: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and dashes')
    .default('main')
    .describe(
      "the site of this process: a worker does the looks of its site's VMs and the calls to its site's providers",
    ),
  DEFIB_SECRET_KEY: secretKey
    .optional()
    .describe('seals stored credentials of providers: 32 random bytes as 64 hex digits; the same for all processes'),
  DEFIB_SECRET_KEY_FILE: optional.describe('a file with that key instead, readable by its owner alone'),
  CHECK_TARGETS_ALLOW: list.describe(
    "where checks may connect besides the VM's own address: CIDRs and addresses, comma-separated; those of Defib's own machines with ports, like 127.0.0.1:20000-60999",
  ),
  CHECK_TARGETS_REFUSE: list.describe(
    "where no check may connect: host names, addresses and CIDRs of Defib's parts besides Postgres and Temporal, comma-separated",
  ),
  KEEP_RESPONSE_BODIES: z
    .stringbool('must be true or false')
    .default(true)
    .describe('whether http checks that an administrator set keep the first 500 characters of a body'),
  QMP_SOCKET_DIRS: list.describe('folders in which QMP sockets may lie, comma-separated'),
  STALE_TIMEOUT_MS: positive(300_000).describe('age after which the agent check that a first report creates is stale'),
  AGENT_REPORT_INTERVAL_SECONDS: positive(60).describe('how often agents report unless a VM says otherwise'),
  PAUSED_GRACE_SECONDS: positive(120).describe(
    'how long a VM may be paused at its hypervisor, by a backup perhaps, before it is resumed',
  ),
  BOOT_GRACE_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .default(180)
    .describe('how long a VM that was started on purpose may take to boot before its failures count'),
  RESULT_RETENTION_DAYS: positive(30).describe('days that check results and metrics are kept'),
  HEAL_RETENTION_DAYS: positive(90).describe('days that heal events, decisions and transitions are kept'),
  RATE_LIMIT_PER_MINUTE: positive(1_200).describe('requests a minute per token'),
  RATE_LIMIT_ADDRESS_PER_MINUTE: positive(6_000).describe(
    'requests a minute per client address; all IPv6 addresses of a /64 count together',
  ),
  RATE_LIMIT_WRONG_TOKENS_PER_MINUTE: positive(60).describe(
    'wrong or missing tokens a minute per client address, before only tokens are let in that were right there lately',
  ),
  RATE_LIMIT_STORE: z
    .enum(['memory', 'postgres'])
    .default('memory')
    .describe('where requests are counted: `postgres` for all API processes together, a statement each'),
  TRUSTED_PROXIES: list
    .refine((texts) => ranges.safeParse(texts).success, 'must be CIDRs or addresses, comma-separated')
    .describe('proxies whose X-Forwarded-For and -Proto the API believes: CIDRs or addresses'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('how much is logged'),
  MAX_CONCURRENT_LOOKS: positive(400).describe('looks that one worker runs at the same time'),
});

/** Settings of this prefix are headers for every call to Temporal, named by what follows it. */
const GRPC_META = 'TEMPORAL_GRPC_META_';

/** Of each of these the file or its content is given, not both. */
const PATH_OR_DATA = ['SERVER_CA_CERT', 'CLIENT_CERT', 'CLIENT_KEY'].map((kind) => `TEMPORAL_TLS_${kind}`);

export type Settings = z.infer<typeof schema> & {
  /** Headers for every call to Temporal, by their names in lower case; an empty one takes away that of the profile. */
  readonly TEMPORAL_GRPC_META: Readonly<Record<string, string>>;
};

export type ParsedSettings = { ok: true; settings: Settings; notices: string[] } | { ok: false; problems: string[] };

/**
 * Reads the settings from an environment; empty values count as absent. All problems at once, each with the name of its
 * setting. Settings of the older systems that aren't needed any more give one notice.
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): ParsedSettings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if ('TEMPORAL_DEPLOYMENT_NAME' in given !== 'TEMPORAL_WORKER_BUILD_ID' in given) {
    problems.push('TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID: set both, or neither');
  }
  for (const name of PATH_OR_DATA) {
    if (`${name}_PATH` in given && `${name}_DATA` in given) {
      problems.push(`${name}_PATH, ${name}_DATA: set one of them`);
    }
  }
  if (/^(true|1)$/i.test(given['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'] ?? '')) {
    problems.push(
      "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: Temporal's SDK has no such thing: name the server's authority and its name, with TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_NAME",
    );
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  const redis = Object.keys(given).filter((name) => name.startsWith('REDIS_'));
  const notices = redis.length === 0 ? [] : [`${redis.join(', ')}: not needed any more, ignored`];
  return { ok: true, settings: { ...parsed.data, TEMPORAL_GRPC_META: grpcMeta(environment) }, notices };
}

/** Headers as the temporal CLI reads them from an environment. */
function grpcMeta(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const named = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith(GRPC_META) && value !== undefined
      ? [[name.slice(GRPC_META.length).toLowerCase().replaceAll('_', '-'), value] as const]
      : [],
  );
  return Object.fromEntries(named);
}

/** Rows for the settings table in the documentation: name, default, meaning. */
export function describeSettings(): { name: string; fallback: string; meaning: string }[] {
  const defaults = schema.parse({});
  return Object.entries(schema.shape).map(([name, field]) => {
    const fallback = defaults[name as keyof typeof defaults];
    return { name, fallback: fallback === undefined ? '' : String(fallback), meaning: field.description ?? '' };
  });
}
