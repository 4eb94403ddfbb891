import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECK_TYPES, OPTIONS_IN_WORDS } from '../../checks/registry.ts';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const rowOf = (type: string) => page.split('\n').find((line) => line.startsWith(`| \`${type}\` |`));

describe('docs/api.md', () => {
  it.each(CHECK_TYPES)('has a row for the check %s', (type) => {
    expect(rowOf(type)).toBeDefined();
  });

  it('names every option in the row of its check', () => {
    for (const [type = '', options = ''] of OPTIONS_IN_WORDS.split('; ').map((part) => part.split(': '))) {
      for (const option of options.split(', ')) expect(rowOf(type)).toContain(`\`${option}\``);
    }
  });
});
