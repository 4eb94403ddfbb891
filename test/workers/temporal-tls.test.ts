import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findFreePort } from '../../local/ports.ts';
import { type Connections, connectionsFrom } from '../../workers/connections.ts';
import { connectClient, connectNative, requireTemporal } from '../../workers/temporal-connection.ts';
import { refusalOf } from '../support/refusal.ts';
import { describeNeeding } from '../support/requirements.ts';
import { settingsOf } from '../support/settings.ts';
import { type Authority, type Certificate, createAuthority } from '../support/tls/authority.ts';
import { type FrontOptions, startTemporalFront, type TemporalFront } from '../support/tls/temporal-front.ts';

const NO_HOMES = { HOME: undefined, XDG_CONFIG_HOME: undefined, APPDATA: undefined };
const API_KEY = 'key-that-is-secret';

/** The connections of a production process with these settings. */
function connectionsOf(settings: Readonly<Record<string, string>>): Connections {
  return connectionsFrom(settingsOf({ DATABASE_URL: 'postgres://x/y', ...settings }), NO_HOMES);
}

describeNeeding(['temporal', 'openssl'], 'a Temporal server with TLS', () => {
  let folder: string;
  let own: Authority;
  let other: Authority;
  let client: Certificate;
  const fronts: TemporalFront[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'defib-temporal-tls-'));
    own = createAuthority(folder, 'own');
    other = createAuthority(folder, 'other');
    client = own.issue('client');
  });
  afterAll(async () => {
    for (const front of fronts) await front.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startFront(options: Partial<FrontOptions> = {}): Promise<TemporalFront & { address: string }> {
    const temporal = inject('temporal');
    if (!temporal.ok) throw new Error(temporal.reason);
    const certificate = own.issue('server', ['DNS:localhost', 'IP:127.0.0.1']);
    const front = await startTemporalFront(temporal.address, { certificate, ...options });
    fronts.push(front);
    return { ...front, address: `localhost:${front.port}` };
  }

  /** Connects as a client and as a worker do, and asks something of each. */
  async function useBoth(connections: Connections): Promise<void> {
    const connection = await connectClient(connections);
    const native = await connectNative(connections);
    await native.workflowService.describeNamespace({ namespace: connections.namespace });
    await Promise.all([connection.close(), native.close()]);
  }

  const trusting = (authority: Authority) => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority.caFile });
  const as = ({ certFile, keyFile }: Certificate) => ({
    TEMPORAL_TLS_CLIENT_CERT_PATH: certFile,
    TEMPORAL_TLS_CLIENT_KEY_PATH: keyFile,
  });

  it('is used by clients and workers that trust its authority, with an API key and headers in every call', async () => {
    const { address, calls } = await startFront();
    const settings = { TEMPORAL_API_KEY: API_KEY, TEMPORAL_GRPC_META_X_TEAM: 'on-call' };
    await useBoth(connectionsOf({ TEMPORAL_ADDRESS: address, ...trusting(own), ...settings }));
    expect(calls.filter(({ path }) => path.endsWith('/DescribeNamespace'))).toHaveLength(2);
    for (const { path, headers } of calls) {
      expect(headers, path).toMatchObject({ authorization: `Bearer ${API_KEY}`, 'x-team': 'on-call' });
    }
  });

  it('is used with a certificate of ours where it wants one, by clients and workers', async () => {
    const { address, calls } = await startFront({ clientsOf: own });
    await useBoth(connectionsOf({ TEMPORAL_ADDRESS: address, ...trusting(own), ...as(client) }));
    expect(calls.length).toBeGreaterThan(2);
    expect(new Set(calls.map((call) => call.client))).toEqual(new Set(['client']));
  });

  it('is used as a profile of a configuration file says', async () => {
    const { address, calls } = await startFront({ clientsOf: own });
    const file = join(folder, 'temporal.toml');
    writeFileSync(
      file,
      `[profile.mine]
address = "${address}"
api_key = "${API_KEY}"
[profile.mine.tls]
server_ca_cert_path = "${own.caFile}"
client_cert_path = "${client.certFile}"
client_key_path = "${client.keyFile}"
`,
    );
    await useBoth(connectionsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'mine' }));
    expect(calls.map(({ headers }) => headers.authorization)).toContain(`Bearer ${API_KEY}`);
  });

  it('is used by the name in its certificate, where that is not its host', async () => {
    const { address } = await startFront({ certificate: own.issue('named', ['DNS:temporal.example']) });
    const settings = { TEMPORAL_ADDRESS: address, ...trusting(own) };
    await useBoth(connectionsOf({ ...settings, TEMPORAL_TLS_SERVER_NAME: 'temporal.example' }));
    expect(await refusalOf(requireTemporal(connectionsOf(settings)))).toBe(
      `The Temporal at ${address} can't be used: its certificate is of another name than the host (ERR_TLS_CERT_ALTNAME_INVALID).`,
    );
  });

  describe('is refused in one line, which shows no secret,', () => {
    const refusal = (settings: Readonly<Record<string, string>>) =>
      refusalOf(connectClient(connectionsOf({ TEMPORAL_API_KEY: API_KEY, ...settings }), 1_000), API_KEY, client.key);

    it('when its authority is not trusted', async () => {
      const { address } = await startFront();
      expect(await refusal({ TEMPORAL_ADDRESS: address, ...trusting(other) })).toMatch(
        /^The Temporal at localhost:\d+ can't be used: its certificate is signed by no authority that is trusted here \(\w+\)\.$/,
      );
      // those that the system trusts
      expect(await refusal({ TEMPORAL_ADDRESS: address })).toContain('signed by no authority that is trusted here');
    });

    it('by the connection of a worker, too', async () => {
      const { address } = await startFront();
      const connections = connectionsOf({ TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: API_KEY, ...trusting(other) });
      expect(await refusalOf(connectNative(connections), API_KEY)).toContain('signed by no authority');
    });

    it('when it wants a certificate of ours that it trusts', async () => {
      const { address } = await startFront({ clientsOf: own });
      const settings = { TEMPORAL_ADDRESS: address, ...trusting(own) };
      expect(await refusal(settings)).toContain('it wants a certificate of ours that it trusts');
      expect(await refusal({ ...settings, ...as(other.issue('client')) })).toContain('it wants a certificate of ours');
    });

    it('when only one side has TLS', async () => {
      const { address } = await startFront();
      expect(await refusal({ TEMPORAL_ADDRESS: address, TEMPORAL_TLS: 'false' })).toContain('TEMPORAL_TLS=true');
      const temporal = inject('temporal');
      const plain = temporal.ok ? temporal.address : '';
      expect(await refusal({ TEMPORAL_ADDRESS: plain, TEMPORAL_TLS: 'true' })).toMatch(/it does not speak TLS/);
    });

    it('when it does not let this key in', async () => {
      const { address } = await startFront({ refuses: /./ });
      expect(await refusal({ TEMPORAL_ADDRESS: address, ...trusting(own) })).toBe(
        `The Temporal at ${address} can't be used: it refuses the requests (Request unauthorized.); check TEMPORAL_NAMESPACE, and TEMPORAL_API_KEY or the certificate.`,
      );
    });

    it('when its host is not known', async () => {
      expect(await refusal({ TEMPORAL_ADDRESS: 'no-such-host.invalid:7233' })).toMatch(
        /: (there is no host of that name \(ENOTFOUND\)|the name of the host cannot be resolved now \(EAI_AGAIN\))\.$/,
      );
    });
  });
});

describeNeeding(['temporal'], 'a Temporal server without TLS', () => {
  const plain = () => {
    const temporal = inject('temporal');
    return temporal.ok ? temporal.address : '';
  };

  it('is taken when it serves the namespace', async () => {
    await requireTemporal({ temporalAddress: plain(), namespace: 'default' });
  });

  it('is refused when it lacks the namespace, with the command that makes it', async () => {
    const refused = await refusalOf(requireTemporal({ temporalAddress: plain(), namespace: 'elsewhere' }));
    expect(refused).toMatch(/it has no namespace "elsewhere": temporal operator namespace create -n elsewhere\.$/);
  });

  it('is refused when nobody answers there', async () => {
    const temporalAddress = `127.0.0.1:${await findFreePort()}`;
    expect(await refusalOf(requireTemporal({ temporalAddress, namespace: 'default' }))).toBe(
      `The Temporal at ${temporalAddress} can't be used: nothing listens there (ECONNREFUSED).`,
    );
  });
});
