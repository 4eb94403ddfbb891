import { parseSettings, type Settings } from '../domain/settings.ts';
import { settingsError } from './connections.ts';
import type { ConfigHomes } from './temporal-target.ts';

/** The settings of this process. @throws StartError with every problem when they can't be used. */
export function readSettings(): Settings {
  const parsed = parseSettings(process.env);
  if (!parsed.ok) throw settingsError(parsed.problems);
  for (const notice of parsed.notices) process.stderr.write(`${notice}\n`);
  return parsed.settings;
}

/** Where Temporal's tools look for their configuration of this user. */
export function configHomes(): ConfigHomes {
  const { HOME, XDG_CONFIG_HOME, APPDATA } = process.env;
  return { HOME, XDG_CONFIG_HOME, APPDATA };
}
