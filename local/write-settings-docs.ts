import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describeSettings } from '../domain/settings.ts';

/** `npm run docs`: the settings in docs/settings.md and .env.example, written from their schema. */

/** The page whose table is written. */
export const SETTINGS_PAGE = new URL('../docs/settings.md', import.meta.url);
/** The file of settings to copy. */
export const ENV_EXAMPLE = new URL('../.env.example', import.meta.url);

const BEGIN = '<!-- written by npm run docs -->';
const END = '<!-- end -->';

/** The page with its table made anew; what stands around it is written by hand. @throws Error when its marks are gone. */
export function withSettingsTable(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/settings.md lacks ${BEGIN} before ${END}`);
  const rows = describeSettings().map(({ name, fallback, meaning }) => {
    return `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`;
  });
  const table = ['| Setting | Default | What it is |', '|---|---|---|', ...rows].join('\n');
  return `${page.slice(0, begin)}${BEGIN}\n${table}\n${page.slice(end)}`;
}

/** Every setting, commented out, with its default. */
export function envExample(): string {
  const settings = describeSettings().map(({ name, fallback, meaning }) => `# ${meaning}\n#${name}=${fallback}\n`);
  return `# Every setting of Defib with its default; written by \`npm run docs\`. Copy it to .env and uncomment what you change.
# npm start and docker compose read .env themselves, the systemd unit /etc/defib/defib.env. What the shell sets wins.

${settings.join('\n')}
# Only docker-compose.yml reads this one: letters and digits, e.g. from  openssl rand -hex 24
#POSTGRES_PASSWORD=
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(SETTINGS_PAGE, withSettingsTable(readFileSync(SETTINGS_PAGE, 'utf8')));
  writeFileSync(ENV_EXAMPLE, envExample());
}
