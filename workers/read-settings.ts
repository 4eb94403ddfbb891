import { parseSettings, type Settings } from '../domain/settings.ts';

/** The settings of this process; ends it with every problem named when they can't be read. */
export function readSettings(): Settings {
  const parsed = parseSettings(process.env);
  if (!parsed.ok) {
    process.stderr.write(
      `The settings can't be used:\n${parsed.problems.map((problem) => `  ${problem}`).join('\n')}\n`,
    );
    process.exit(1);
  }
  for (const notice of parsed.notices) process.stderr.write(`${notice}\n`);
  return parsed.settings;
}
