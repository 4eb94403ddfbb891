import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSettings, parseSettings } from '../../domain/settings.ts';

function problemsOf(environment: Record<string, string>): string[] {
  const parsed = parseSettings(environment);
  return parsed.ok ? [] : parsed.problems;
}

describe('settings from an environment', () => {
  it('have a default each where nothing is set', () => {
    const parsed = parseSettings({});
    expect(parsed).toMatchObject({
      ok: true,
      notices: [],
      settings: {
        HOST: '127.0.0.1',
        PORT: 3000,
        DEFIB_DATA_DIR: '.defib',
        DEFIB_SITE: 'main',
        TEMPORAL_GRPC_META: {},
        CHECK_TARGETS_ALLOW: [],
        STALE_TIMEOUT_MS: 300_000,
        RESULT_RETENTION_DAYS: 30,
        HEAL_RETENTION_DAYS: 90,
        BOOT_GRACE_SECONDS: 180,
        PAUSED_GRACE_SECONDS: 120,
        LOG_LEVEL: 'info',
      },
    });
  });

  it('bring no secret by default', () => {
    const parsed = parseSettings({});
    expect(parsed.ok && [parsed.settings.DEFIB_ADMIN_TOKEN, parsed.settings.DATABASE_URL]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('are read as numbers and lists', () => {
    const parsed = parseSettings({ PORT: '8080', CHECK_TARGETS_ALLOW: ' 127.0.0.0/8, ::1/128 ,, ' });
    expect(parsed).toMatchObject({ settings: { PORT: 8080, CHECK_TARGETS_ALLOW: ['127.0.0.0/8', '::1/128'] } });
  });

  it.each(['', undefined])('count as absent when they are %j, one or all', (value) => {
    const names = ['REDIS_URL', ...describeSettings().map((one) => one.name)];
    for (const name of names) expect(parseSettings({ [name]: value }), name).toEqual(parseSettings({}));
    expect(parseSettings(Object.fromEntries(names.map((name) => [name, value])))).toEqual(parseSettings({}));
  });

  it('are left alone where they belong to somebody else', () => {
    expect(parseSettings({ PATH: '/bin', HOME: '/root' })).toEqual(parseSettings({}));
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '0'],
    ['PORT', 'http'],
    ['PORT', '30.5'],
    ['STALE_TIMEOUT_MS', '-1'],
    ['RESULT_RETENTION_DAYS', '0'],
    ['LOG_LEVEL', 'loud'],
    ['DEFIB_SITE', 'Main Site'],
    ['DEFIB_ADMIN_TOKEN', 'too-short'],
    ['TEMPORAL_DEPLOYMENT_NAME', 'defib.main', { TEMPORAL_WORKER_BUILD_ID: '0.2.0' }],
    ['TEMPORAL_DEPLOYMENT_NAME', 'defib:main', { TEMPORAL_WORKER_BUILD_ID: '0.2.0' }],
    ['TEMPORAL_DEPLOYMENT_NAME', 'a'.repeat(101), { TEMPORAL_WORKER_BUILD_ID: '0.2.0' }],
    ['TEMPORAL_WORKER_BUILD_ID', 'a'.repeat(101), { TEMPORAL_DEPLOYMENT_NAME: 'defib' }],
    ['TEMPORAL_WORKER_BUILD_ID', '__unversioned__', { TEMPORAL_DEPLOYMENT_NAME: 'defib' }],
    ['TEMPORAL_WORKER_BUILD_ID', '0.2.0 beta', { TEMPORAL_DEPLOYMENT_NAME: 'defib' }],
    ['DEFIB_SITE', 'a'.repeat(41)],
    ['DEFIB_SECRET_KEY', 'f'.repeat(63)],
    ['DEFIB_SECRET_KEY', 'f'.repeat(65)],
    ['DEFIB_SECRET_KEY', `${'f'.repeat(63)}g`],
    ['BOOT_GRACE_SECONDS', '-1'],
    ['DATABASE_URL', 'db.example/defib'],
    ['DATABASE_URL', 'mysql://db.example/defib'],
    ['TEMPORAL_TLS', 'perhaps'],
    ['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION', 'true'],
  ])('are refused by name: %s=%s', (name: string, value: string, others: Record<string, string> = {}) => {
    expect(problemsOf({ ...others, [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: \\S`))]);
  });

  it.each([
    ['PORT', '1'],
    ['PORT', '65535'],
    ['RESULT_RETENTION_DAYS', '1'],
    ['DEFIB_DATA_DIR', '/var/lib/defib'],
    ['DEFIB_SITE', `${'a'.repeat(37)}-42`],
    ['DEFIB_ADMIN_TOKEN', 'a'.repeat(16)],
    ['DEFIB_SECRET_KEY', 'F0'.repeat(32)],
    ['DEFIB_SECRET_KEY_FILE', '/etc/defib/key'],
    ['TEMPORAL_NAMESPACE', 'defib.example'],
    ['BOOT_GRACE_SECONDS', '0'],
    ['BOOT_GRACE_SECONDS', '600'],
    ['DATABASE_URL', 'postgresql:///defib?host=/var/run/postgresql'],
    ['TEMPORAL_TLS', '0'],
    ['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION', 'false'],
    ...['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => ['LOG_LEVEL', level]),
  ])('are taken: %s=%s', (name, value) => {
    expect(problemsOf({ [name!]: value! })).toEqual([]);
  });

  it.each([
    ['DEFIB_SECRET_KEY', 'no', 'must be 64 hex digits, e.g. of `openssl rand -hex 32`'],
    ['DEFIB_ADMIN_TOKEN', 'no', 'must have at least 16 characters'],
    ['DEFIB_SITE', 'No', 'must be lower-case letters, digits and dashes'],
    ['TEMPORAL_DEPLOYMENT_NAME', 'n.o', 'must be at most 100 letters, digits, - and _, and not begin with __'],
    ['TEMPORAL_WORKER_BUILD_ID', 'n o', 'must be at most 100 letters, digits, . + - and _, and not begin with __'],
  ])('say how to write %s when it is refused', (name, value, sentence) => {
    expect(problemsOf({ [name]: value })[0]).toBe(`${name}: ${sentence}`);
  });

  it('name a build and its deployment, or neither', () => {
    const [name, build] = ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'];
    expect(parseSettings({ [name]: 'defib', [build]: '0.2.0+1a2b3c4' })).toMatchObject({ ok: true });
    expect(problemsOf({ [name]: 'a'.repeat(100), [build]: '1'.repeat(100) })).toEqual([]);
    const problem = `${name}, ${build}: set both, or neither`;
    expect(problemsOf({ [name]: 'defib' })).toEqual([problem]);
    expect(problemsOf({ [build]: '0.2.0', PORT: 'x' })).toEqual([expect.stringMatching(/^PORT/), problem]);
  });

  it.each(['SERVER_CA_CERT', 'CLIENT_CERT', 'CLIENT_KEY'])('name a file or its content of TEMPORAL_TLS_%s', (kind) => {
    const [path, data] = [`TEMPORAL_TLS_${kind}_PATH`, `TEMPORAL_TLS_${kind}_DATA`];
    expect(problemsOf({ [path]: '/x', [data]: 'sesame' })).toEqual([`${path}, ${data}: set one of them`]);
  });

  it("gather the headers of Temporal's calls", () => {
    const given = { TEMPORAL_GRPC_META_X_Trace_Id: 'one', TEMPORAL_GRPC_META_GONE: '' };
    expect(parseSettings(given)).toMatchObject({ settings: { TEMPORAL_GRPC_META: { 'x-trace-id': 'one', gone: '' } } });
  });

  it('tell all their problems at once', () => {
    const problems = problemsOf({ PORT: 'x', POSTGRES_PORT: '0', LOG_LEVEL: 'loud', DEFIB_SITE: '?', HOST: 'ok' });
    expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
      'DEFIB_SITE',
      'LOG_LEVEL',
      'PORT',
      'POSTGRES_PORT',
    ]);
  });

  it('do not repeat a secret in a problem', () => {
    const secrets = { DEFIB_ADMIN_TOKEN: 'hunter2', DATABASE_URL: 'db:hunter2@x', TEMPORAL_TLS: 'hunter2' };
    expect(problemsOf(secrets).join()).not.toContain('hunter2');
  });

  it('of Redis are ignored with one notice that names them', () => {
    const parsed = parseSettings({ REDIS_HOST: 'cache', REDIS_PORT: 'not a number', REDIS_URL: '' });
    expect(parsed).toMatchObject({ ok: true, notices: ['REDIS_HOST, REDIS_PORT: not needed any more, ignored'] });
  });

  it('never throw, whatever the environment holds', () => {
    const names = describeSettings().map((one) => one.name);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'REDIS_URL', 'OTHER'), fc.string()), (environment) => {
        const parsed = parseSettings(environment);
        if (!parsed.ok) for (const problem of parsed.problems) expect(names).toContain(problem.split(/[,:]/)[0]);
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});

describe('the settings table', () => {
  it('says of every setting what it is for', () => {
    for (const { name, meaning } of describeSettings()) expect(meaning, name).toMatch(/\w{3}/);
  });

  it('shows the default that is used', () => {
    expect(describeSettings()).toContainEqual({ name: 'PORT', fallback: '3000', meaning: 'port of the API' });
    expect(describeSettings()).toContainEqual(expect.objectContaining({ name: 'DATABASE_URL', fallback: '' }));
  });
});
