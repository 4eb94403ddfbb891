import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('each line of the threat model names a test that is there', () => {
  const rows = [...read('docs/security.md').matchAll(/^\|.*\| `(test\/\S+)`: (.+) \|$/gm)];
  const lines = read('docs/security.md').match(/^\| (?!who \|)/gm) ?? [];
  expect(rows.length).toBeGreaterThan(20);
  expect(rows).toHaveLength(lines.length);
  for (const [, file = '', title = ''] of rows) {
    expect(existsSync(new URL(`../../${file}`, import.meta.url)), file).toBe(true);
    expect(read(file), `${file}: ${title}`).toContain(title);
  }
});
