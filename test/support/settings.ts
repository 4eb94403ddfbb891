import { parseSettings, type Settings } from '../../domain/settings.ts';

/**
 * The settings that a process has in this environment; what it does not set has its default.
 * @throws Error when the environment is refused
 */
export function settingsOf(environment: Readonly<Record<string, string>> = {}): Settings {
  const parsed = parseSettings(environment);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.settings;
}
