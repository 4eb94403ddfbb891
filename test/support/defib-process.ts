import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describeSettings } from '../../domain/settings.ts';
import { environmentWithout } from '../../local/environment.mjs';
import { findFreePorts } from '../../local/ports.ts';
import { killProcessesOf } from './processes-of.ts';
import { type Program, ROOT, startProgram } from './program.ts';

export type Ports = Record<'PORT' | 'TEMPORAL_PORT' | 'TEMPORAL_UI_PORT' | 'POSTGRES_PORT', number>;

export interface DefibProcess extends Program {
  /** kill -9 of it and of everything it started, Postgres and Temporal too. */
  killAll(): Promise<void>;
}

/** Ports for everything that `npm start` runs. */
export async function freePorts(): Promise<Ports> {
  const [api = 0, temporal = 0, ui = 0, postgres = 0] = await findFreePorts(4);
  return { PORT: api, TEMPORAL_PORT: temporal, TEMPORAL_UI_PORT: ui, POSTGRES_PORT: postgres };
}

/** The environment without what would lead Defib to other parts or settings than those of a new user. */
export function newUsersEnvironment(): NodeJS.ProcessEnv {
  const settings = describeSettings().map(({ name }) => name);
  const names = [...settings, 'NODE_ENV', 'NODE_OPTIONS'].join('|');
  return environmentWithout(new RegExp(`^(DEFIB_|TEMPORAL_|PG|VITEST|npm_|(${names})$)`));
}

/** The same for `npm start` in this checkout: a developer's own `.env` there adds nothing to what is set, and empty counts as set. */
export function newUsersCheckout(): NodeJS.ProcessEnv {
  const file = join(ROOT, '.env');
  const names = existsSync(file) ? Object.keys(parseEnv(readFileSync(file, 'utf8'))) : [];
  return { ...Object.fromEntries(names.map((name) => [name, ''])), ...newUsersEnvironment() };
}

/** Starts Defib as a new user does, in this checkout; through npm, or by what npm runs. */
export function startDefib(
  how: 'npm start' | 'node',
  dataDir: string,
  ports: Ports,
  settings: Readonly<Record<string, number | string>> = {},
): DefibProcess {
  const command = how === 'npm start' ? ['npm', 'start'] : [process.execPath, '--import', 'tsx', 'local/main.ts'];
  const given = { ...ports, ...settings, DEFIB_DATA_DIR: dataDir, npm_config_update_notifier: false };
  const texts = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
  const env = { ...newUsersCheckout(), ...texts };
  const program = startProgram(command, { env, endWithUs: 'TERM', ownGroup: true });
  return {
    ...program,
    async killAll() {
      await killProcessesOf(dataDir);
      await program.ended;
    },
  };
}
