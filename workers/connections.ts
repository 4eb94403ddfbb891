import { readPostgresUrl, withTlsDefaults } from '../db/postgres-url.ts';
import type { Settings } from '../domain/settings.ts';
import { StartError } from './start-error.ts';
import type { TemporalAccess } from './temporal-access.ts';
import { type ConfigHomes, readTemporalTarget, type TemporalTarget } from './temporal-target.ts';

/** The parts a process needs, wherever they run. */
export interface Connections {
  databaseUrl: string;
  temporalAddress: string;
  /** TLS, key and headers; absent where the server has no need of them. */
  temporalAccess?: TemporalAccess;
  namespace: string;
  /** Further ports of these parts on this machine; no check may connect there. They may change while the process runs. */
  ownPorts?: ReadonlySet<number>;
  /** Whether all of Defib is on this machine, as `npm start` runs it: its administrators may have this machine checked. */
  allOnThisMachine?: boolean;
}

/** The parts that the settings name; what is undefined is named by none. */
export interface GivenConnections {
  readonly databaseUrl: string | undefined;
  readonly temporal: TemporalTarget | undefined;
  /** Every problem of the settings that name them, each a line without secrets. */
  readonly problems: readonly string[];
}

/**
 * From the settings alone, for a process that starts no parts of its own.
 * @throws StartError with every problem, also when a part is not named.
 */
export function connectionsFrom(settings: Settings, homes: ConfigHomes): Connections {
  const { databaseUrl, temporal, problems } = readConnections(settings, homes, true);
  const missing = [
    ...(settings.DATABASE_URL === undefined ? ['DATABASE_URL'] : []),
    ...(temporal === undefined && problems.length === 0 ? ['TEMPORAL_ADDRESS'] : []),
  ];
  const all = missing.length === 0 ? problems : [...problems, `${missing.join(', ')}: must be set, ${STARTS_NOTHING}`];
  if (all.length > 0 || databaseUrl === undefined || temporal === undefined) throw settingsError(all);
  const { address, namespace, access } = temporal;
  return { databaseUrl, temporalAddress: address, temporalAccess: access, namespace };
}

/** For a process that starts the parts that nobody names: a configuration of Temporal's counts only where a setting names it. */
export function givenConnections(settings: Settings, homes: ConfigHomes): GivenConnections {
  return readConnections(settings, homes, false);
}

/** DATABASE_URL with what libpq's own settings add to it; undefined where it is not set. @throws StartError with every problem. */
export function databaseUrlFrom(settings: Settings): string | undefined {
  const { url, problems } = readDatabaseUrl(settings);
  if (problems.length > 0) throw settingsError(problems);
  return url;
}

/** All problems of settings in one error: one in a line, several each on a line of its own. */
export function settingsError(problems: readonly string[]): StartError {
  const [only, ...others] = problems;
  const list = others.length === 0 ? ` ${only}` : problems.map((problem) => `\n  ${problem}`).join('');
  return new StartError(`The settings can't be used:${list}`);
}

const STARTS_NOTHING = 'because this process starts neither Postgres nor Temporal';

function readConnections(settings: Settings, homes: ConfigHomes, readUsualFile: boolean): GivenConnections {
  const { url, problems } = readDatabaseUrl(settings);
  const temporal = readTemporalTarget(settings, homes, readUsualFile);
  if (temporal.ok) return { databaseUrl: url, temporal: temporal.target ?? undefined, problems };
  return { databaseUrl: url, temporal: undefined, problems: [...problems, ...temporal.problems] };
}

function readDatabaseUrl(settings: Settings): { url: string | undefined; problems: string[] } {
  const { DATABASE_URL, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY } = settings;
  if (DATABASE_URL === undefined) return { url: undefined, problems: [] };
  const defaults = { sslmode: PGSSLMODE, sslrootcert: PGSSLROOTCERT, sslcert: PGSSLCERT, sslkey: PGSSLKEY };
  const url = withTlsDefaults(DATABASE_URL, defaults);
  const read = readPostgresUrl(url);
  return { url, problems: read.ok ? [] : read.problems.map((problem) => `DATABASE_URL: ${problem}`) };
}
