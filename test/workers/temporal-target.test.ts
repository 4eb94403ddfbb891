import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTemporalTarget, type TemporalTarget } from '../../workers/temporal-target.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';
import { type Authority, createAuthority } from '../support/tls/authority.ts';

const TWO_PROFILES = `
[profile.default]
address = "usual.example:7233"

[profile.cloud]
address = "cloud.example:7233"
namespace = "vms.a1b2c"
api_key = "key-of-the-file"
[profile.cloud.grpc_meta]
x-team = "on-call"
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'defib-target-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The file in its usual place below a home. */
function writeUsual(text: string): void {
  mkdirSync(join(folder, '.config', 'temporalio'), { recursive: true });
  write('.config/temporalio/temporal.toml', text);
}

function read(environment: Record<string, string>, readUsualFile = false) {
  const homes = { HOME: folder, XDG_CONFIG_HOME: undefined, APPDATA: undefined };
  return readTemporalTarget(settingsOf(environment), homes, readUsualFile);
}

function targetOf(environment: Record<string, string>, readUsualFile = false): TemporalTarget | null {
  const found = read(environment, readUsualFile);
  if (!found.ok) throw new Error(found.problems.join('; '));
  return found.target;
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  const found = read(environment);
  return found.ok ? [] : found.problems;
}

describe('the Temporal server of a process', () => {
  it('is the one at TEMPORAL_ADDRESS, in namespace default, without TLS and key', () => {
    const target = targetOf({ TEMPORAL_ADDRESS: 'temporal.example:7233' });
    expect(target).toEqual({ address: 'temporal.example:7233', namespace: 'default', access: {} });
  });

  it('is none where nothing names one', () => {
    expect(targetOf({ TEMPORAL_API_KEY: 'sesame' })).toBeNull();
  });

  it('is that of a profile, with all that the profile says', () => {
    const TEMPORAL_CONFIG_FILE = write('temporal.toml', TWO_PROFILES);
    expect(targetOf({ TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'cloud' })).toEqual({
      address: 'cloud.example:7233',
      namespace: 'vms.a1b2c',
      access: { tls: {}, apiKey: 'key-of-the-file', metadata: { 'x-team': 'on-call' } },
    });
    expect(targetOf({ TEMPORAL_CONFIG_FILE })).toMatchObject({ address: 'usual.example:7233' });
  });

  it('has what a setting says rather than what the profile says', () => {
    const TEMPORAL_CONFIG_FILE = write('temporal.toml', TWO_PROFILES);
    const settings = {
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'own',
      TEMPORAL_API_KEY: 'key-of-the-setting',
      TEMPORAL_TLS_SERVER_NAME: 'name.example',
      TEMPORAL_GRPC_META_X_TEAM: '',
      TEMPORAL_GRPC_META_X_TRACE_ID: 'one',
    };
    expect(targetOf({ TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'cloud', ...settings })).toEqual({
      address: '127.0.0.1:7233',
      namespace: 'own',
      access: {
        tls: { serverName: 'name.example' },
        apiKey: 'key-of-the-setting',
        metadata: { 'x-trace-id': 'one' },
      },
    });
  });

  it.each([
    [{ TEMPORAL_TLS: 'true' }, {}],
    [{ TEMPORAL_API_KEY: 'sesame' }, {}],
    [{ TEMPORAL_TLS_SERVER_NAME: 'x.example' }, { serverName: 'x.example' }],
    [{ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'sesame' }, undefined],
    [{ TEMPORAL_TLS: 'no', TEMPORAL_TLS_SERVER_NAME: 'x.example' }, undefined],
  ])('is reached with TLS where a setting asks for it: %j', (settings, tls) => {
    expect(targetOf({ TEMPORAL_ADDRESS: 'x.example:7233', ...settings })?.access.tls).toEqual(tls);
  });

  it('comes from the file in its usual place only where a profile is named, or where it may and there is no address', () => {
    writeUsual(TWO_PROFILES);
    expect(targetOf({})).toBeNull();
    expect(targetOf({}, true)).toMatchObject({ address: 'usual.example:7233' });
    expect(targetOf({ TEMPORAL_PROFILE: 'cloud' })).toMatchObject({ address: 'cloud.example:7233' });
    const own = { TEMPORAL_ADDRESS: '127.0.0.1:7233' };
    expect(targetOf(own, true)).toEqual({ address: '127.0.0.1:7233', namespace: 'default', access: {} });
  });
});

describe('a Temporal server that is named wrongly', () => {
  it.each([
    ['temporal.example:port', {}],
    ['https://temporal.example', {}],
    ['user:pass@temporal.example:7233', {}],
    ['temporal.example 7233', {}],
  ])('is refused by its address: %s', (address) => {
    expect(problemsOf({ TEMPORAL_ADDRESS: address })).toEqual(['TEMPORAL_ADDRESS: must be host:port']);
  });

  it('is refused where the file is missing, is no such file, or has no such profile', () => {
    const missing = join(folder, 'missing.toml');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: missing })).toEqual([
      `TEMPORAL_CONFIG_FILE: ${missing} can't be read (ENOENT)`,
    ]);
    const file = write('temporal.toml', TWO_PROFILES);
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'other' })).toEqual([
      "TEMPORAL_CONFIG_FILE: Profile 'other' not found in config data",
    ]);
    const empty = write('empty.toml', '');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: empty })).toEqual(['TEMPORAL_CONFIG_FILE: it has no table [profile.…]']);
    const noAddress = write('none.toml', '[profile.default]\nnamespace = "x"');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: noAddress })).toEqual([
      'TEMPORAL_CONFIG_FILE: the profile has no address',
    ]);
  });

  it('is refused without showing lines of a file that is not TOML', () => {
    const file = write('temporal.toml', '[profile.default]\napi_key = sesame-in-the-file\n');
    const problems = problemsOf({ TEMPORAL_CONFIG_FILE: file });
    expect(problems).toEqual([expect.stringMatching(/^TEMPORAL_CONFIG_FILE: Invalid TOML document/)]);
    expect(problems.join()).not.toMatch(/sesame|\n/);
  });

  it('is refused by values of the wrong kind in a file', () => {
    const file = write('temporal.toml', '[profile.default]\naddress = 7233\nnamespace = 1\napi_key = 2');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file })).toEqual([
      'address of the profile: must be host:port',
      'namespace of the profile: must be text',
      'api_key of the profile: must be ASCII without blanks and line ends',
    ]);
  });

  it('is refused by all of its problems at once, without its secrets', () => {
    const problems = problemsOf({
      TEMPORAL_ADDRESS: 'x y',
      TEMPORAL_API_KEY: 'sesame\n',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'missing.pem'),
      TEMPORAL_TLS_CLIENT_KEY_DATA: 'sesame',
      TEMPORAL_GRPC_META_X_BIN: 'sesame',
      TEMPORAL_GRPC_META_X_NOTE: 'sesame\r\n',
      TEMPORAL_GRPC_META_AUTHORIZATION: 'sesame',
    });
    expect(problems).toEqual([
      'TEMPORAL_ADDRESS: must be host:port',
      `TEMPORAL_TLS_SERVER_CA_CERT_PATH: ${join(folder, 'missing.pem')} can't be read (ENOENT)`,
      'TEMPORAL_TLS_CLIENT_KEY_DATA: is no private key without a passphrase (PEM)',
      'TEMPORAL_TLS_CLIENT_CERT_…, TEMPORAL_TLS_CLIENT_KEY_…: set both, or neither',
      'TEMPORAL_API_KEY: must be ASCII without blanks and line ends',
      "TEMPORAL_GRPC_META_X_BIN: can't be the name of a header",
      'TEMPORAL_GRPC_META_X_NOTE: must be ASCII without line ends',
      'TEMPORAL_API_KEY, TEMPORAL_GRPC_META_AUTHORIZATION: set one of them',
    ]);
    expect(problems.join()).not.toContain('sesame');
  });
});

describeNeeding(['openssl'], 'certificates for Temporal', () => {
  let own: Authority;
  beforeEach(() => {
    own = createAuthority(folder, 'own');
  });

  it('are read from files, or are given themselves, in settings and in a profile', () => {
    const client = own.issue('client');
    const expected = { tls: { ca: own.ca, cert: client.cert, key: client.key } };
    const files = {
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: own.caFile,
      TEMPORAL_TLS_CLIENT_CERT_PATH: client.certFile,
      TEMPORAL_TLS_CLIENT_KEY_PATH: client.keyFile,
    };
    const texts = {
      TEMPORAL_TLS_SERVER_CA_CERT_DATA: own.ca,
      TEMPORAL_TLS_CLIENT_CERT_DATA: client.cert,
      TEMPORAL_TLS_CLIENT_KEY_DATA: client.key,
    };
    for (const given of [files, texts]) {
      expect(targetOf({ TEMPORAL_ADDRESS: 'x:1', ...given })?.access).toEqual(expected);
    }
    const tls = `server_ca_cert_path = "${own.caFile}"
client_cert_path = "${client.certFile}"
client_key_path = "${client.keyFile}"`;
    const file = write('temporal.toml', `[profile.default]\naddress = "x:1"\n[profile.default.tls]\n${tls}\n`);
    expect(targetOf({ TEMPORAL_CONFIG_FILE: file })?.access).toEqual(expected);
  });

  it('are refused where file and key do not go together, or are something else', () => {
    const [one, two] = [own.issue('one'), own.issue('two')];
    const given = {
      TEMPORAL_ADDRESS: 'x:1',
      TEMPORAL_TLS_CLIENT_CERT_PATH: one.certFile,
      TEMPORAL_TLS_CLIENT_KEY_PATH: two.keyFile,
    };
    expect(problemsOf(given)).toEqual([
      'TEMPORAL_TLS_CLIENT_CERT_…, TEMPORAL_TLS_CLIENT_KEY_…: the key is not that of the certificate',
    ]);
    expect(problemsOf({ ...given, TEMPORAL_TLS_CLIENT_CERT_PATH: one.keyFile })).toEqual([
      `TEMPORAL_TLS_CLIENT_CERT_PATH: ${one.keyFile} holds no certificate (PEM)`,
    ]);
  });
});
