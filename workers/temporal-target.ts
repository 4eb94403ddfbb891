import { readFileSync } from 'node:fs';
import { type ClientConfigProfile, loadClientConfigProfile } from '@temporalio/envconfig';
import type { Settings } from '../domain/settings.ts';
import { firstLineOf } from './start-error.ts';
import { readTemporalAccess, type TemporalAccess } from './temporal-access.ts';

/** A Temporal server, as the settings and Temporal's own client configuration name it. */
export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  readonly access: TemporalAccess;
}

export type ReadTemporalTarget =
  /** Null: nothing names a server. */
  | { readonly ok: true; readonly target: TemporalTarget | null }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Where users keep their configuration: by these the temporal CLI and the SDKs find `temporalio/temporal.toml`. */
export type ConfigHomes = Readonly<Record<'HOME' | 'XDG_CONFIG_HOME' | 'APPDATA', string | undefined>>;

/** The settings that `@temporalio/envconfig` reads as they are. */
const READ_AS_THEY_ARE = /^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|PROFILE|TLS_\w+)$/;

/**
 * Where Temporal is, as its own tools find out: by a profile of a configuration file, and by settings, which win. The file in its
 * usual place is read where a profile is named; with `readUsualFile` also where no address is. So one that lies there for the CLI
 * changes nothing for a process that names its server.
 * @returns every problem at once, each a sentence without secrets.
 */
export function readTemporalTarget(settings: Settings, homes: ConfigHomes, readUsualFile: boolean): ReadTemporalTarget {
  const problems: string[] = [];
  const profile = readProfile(settings, homes, readUsualFile, problems);
  if (profile === undefined) return { ok: false, problems };
  const { address, namespace = 'default' } = profile;
  const { TEMPORAL_ADDRESS, TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE } = settings;
  if (address === undefined) {
    const named = Object.entries({ TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE }).filter(([, value]) => value !== undefined);
    if (named.length === 0) return { ok: true, target: null };
    return { ok: false, problems: [`${named.map(([name]) => name).join(', ')}: the profile has no address`] };
  }
  if (!isAddress(address)) {
    problems.push(
      `${TEMPORAL_ADDRESS === undefined ? 'address of the profile' : 'TEMPORAL_ADDRESS'}: must be host:port`,
    );
  }
  if (typeof namespace !== 'string') problems.push('namespace of the profile: must be text');
  const access = readTemporalAccess(profile, settings, problems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, target: { address, namespace, access } };
}

function readProfile(
  settings: Settings,
  homes: ConfigHomes,
  readUsualFile: boolean,
  problems: string[],
): ClientConfigProfile | undefined {
  const { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: name, TEMPORAL_ADDRESS: address } = settings;
  const readsFile = file !== undefined || name !== undefined || (readUsualFile && address === undefined);
  try {
    return loadClientConfigProfile({
      overrideEnvVars: environmentOf(settings, homes),
      // read here: the package takes a file that is missing for an empty one
      ...(file === undefined ? { disableFile: !readsFile } : { configSource: { data: readFileSync(file, 'utf8') } }),
    });
  } catch (error) {
    problems.push(`${file === undefined ? 'temporal.toml' : 'TEMPORAL_CONFIG_FILE'}: ${reasonOf(error, file)}`);
    return undefined;
  }
}

/** The parser's errors go on with lines of the file, which may hold the API key: only the first line is shown. */
function reasonOf(error: unknown, file: string | undefined): string {
  if (error instanceof TypeError) return 'it has no table [profile.…]';
  if (error instanceof Error && 'syscall' in error && 'code' in error) return `${file} can't be read (${error.code})`;
  return firstLineOf(error);
}

/** The settings as the package reads them from an environment. */
function environmentOf(settings: Settings, homes: ConfigHomes): Record<string, string> {
  const { TEMPORAL_TLS: tls, TEMPORAL_GRPC_META: headers } = settings;
  const named = Object.entries(settings).filter(([name]) => READ_AS_THEY_ARE.test(name));
  const values = Object.entries({
    ...homes,
    ...Object.fromEntries(named),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [`TEMPORAL_GRPC_META_${name}`, value])),
    TEMPORAL_TLS: tls?.toString(),
  });
  return Object.fromEntries(values.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function isAddress(address: unknown): boolean {
  return typeof address === 'string' && /^[^\s/@]+$/.test(address) && URL.canParse(`tcp://${address}`);
}
