import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../domain/settings.ts';
import { ENV_EXAMPLE, envExample, SETTINGS_PAGE, withSettingsTable } from '../../local/write-settings-docs.ts';

const OUT_OF_DATE = 'out of date: run npm run docs';

describe('what is written of the settings', () => {
  it('in docs/settings.md is what the schema says', () => {
    const page = readFileSync(SETTINGS_PAGE, 'utf8');
    expect(page === withSettingsTable(page), OUT_OF_DATE).toBe(true);
  });

  it('in .env.example is what the schema says', () => {
    expect(readFileSync(ENV_EXAMPLE, 'utf8') === envExample(), OUT_OF_DATE).toBe(true);
  });

  it('in .env.example can be used when every line is uncommented, and brings no secret', () => {
    const lines = envExample().matchAll(/^#([A-Z_]+)=(.*)$/gm);
    const environment = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    expect(environment).toMatchObject({ DEFIB_ADMIN_TOKEN: '', DATABASE_URL: '', POSTGRES_PASSWORD: '' });
    expect(parseSettings(environment)).toEqual(parseSettings({}));
  });
});
