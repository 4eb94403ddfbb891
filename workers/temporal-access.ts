import type { ClientConfigProfile } from '@temporalio/envconfig';
import { isPair, isPem, type PemKind, readPemFile } from '../db/pem.ts';
import type { Settings } from '../domain/settings.ts';

/** How to get into a Temporal server beyond its address. Plain JSON: it crosses processes. Holds secrets. */
export interface TemporalAccess {
  /** Absent: no TLS. */
  readonly tls?: TemporalTls;
  readonly apiKey?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** PEM as text; absent are the authorities that the system trusts, the name of the host, and no certificate of ours. */
export interface TemporalTls {
  readonly serverName?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const CERTIFICATE = 'certificate';
const KEY = 'private key without a passphrase';

/** What a header may hold: the client's error for anything else would show it. */
const HEADER_VALUE = /^[\x20-\x7e]*$/;
const HEADER_NAME = /^[a-z0-9_.-]+$/;
const API_KEY = /^[\x21-\x7e]+$/;

/** Reads what a profile says of TLS, key and headers. What is wrong is added to `problems`, without secrets. */
export function readTemporalAccess(
  profile: ClientConfigProfile,
  settings: Settings,
  problems: string[],
): TemporalAccess {
  const { tls, apiKey, grpcMeta: metadata = {} } = profile;
  const given = (field: TlsField, kind: PemKind) => readTlsField(tls, field, kind, settings, problems);
  const ca = given('serverCACert', CERTIFICATE);
  const cert = given('clientCert', CERTIFICATE);
  const key = given('clientKey', KEY);
  const serverName = tls?.serverName;
  if ((tls?.clientCert === undefined) !== (tls?.clientKey === undefined)) {
    problems.push('TEMPORAL_TLS_CLIENT_CERT_…, TEMPORAL_TLS_CLIENT_KEY_…: set both, or neither');
  }
  if (cert && key && !isPair(cert, key)) {
    problems.push('TEMPORAL_TLS_CLIENT_CERT_…, TEMPORAL_TLS_CLIENT_KEY_…: the key is not that of the certificate');
  }
  if (serverName !== undefined && typeof serverName !== 'string')
    problems.push('server_name of the profile: must be text');
  if (apiKey !== undefined && !(typeof apiKey === 'string' && API_KEY.test(apiKey))) {
    const name = settings.TEMPORAL_API_KEY === undefined ? 'api_key of the profile' : 'TEMPORAL_API_KEY';
    problems.push(`${name}: must be ASCII without blanks and line ends`);
  }
  problems.push(...headerProblems(metadata, apiKey !== undefined));
  // as `toClientOptions` of the package decides it
  const hasTls = tls?.disabled !== true && (tls !== undefined || apiKey !== undefined);
  const pems = Object.entries({ serverName, ca, cert, key }).filter(([, value]) => value !== undefined);
  return {
    ...(hasTls ? { tls: Object.fromEntries(pems) } : {}),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  };
}

/** The fields of a profile, by what their settings and their names in a file are made of. */
const TLS_FIELDS = { serverCACert: 'SERVER_CA_CERT', clientCert: 'CLIENT_CERT', clientKey: 'CLIENT_KEY' } as const;
type TlsField = keyof typeof TLS_FIELDS;

function readTlsField(
  tls: ClientConfigProfile['tls'],
  field: TlsField,
  kind: PemKind,
  settings: Settings,
  problems: string[],
): string | undefined {
  const source = tls?.[field];
  if (source === undefined) return undefined;
  const form = 'path' in source ? 'PATH' : 'DATA';
  const setting = `TEMPORAL_TLS_${TLS_FIELDS[field]}_${form}` as const;
  const inFile = `${TLS_FIELDS[field]}_${form}`.toLowerCase();
  const name = settings[setting] === undefined ? `${inFile} of the profile` : setting;
  if ('path' in source) return readPemFile(name, String(source.path), kind, problems);
  const text = typeof source.data === 'string' ? source.data : Buffer.from(source.data).toString('utf8');
  if (isPem(text, kind)) return text;
  problems.push(`${name}: is no ${kind} (PEM)`);
  return undefined;
}

function* headerProblems(headers: Readonly<Record<string, unknown>>, hasApiKey: boolean): Generator<string> {
  for (const [name, value] of Object.entries(headers)) {
    const setting = `TEMPORAL_GRPC_META_${name.toUpperCase().replaceAll('-', '_')}`;
    if (!HEADER_NAME.test(name) || name.endsWith('-bin')) yield `${setting}: can't be the name of a header`;
    else if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      yield `${setting}: must be ASCII without line ends`;
    if (name === 'authorization' && hasApiKey) yield `TEMPORAL_API_KEY, ${setting}: set one of them`;
  }
}
