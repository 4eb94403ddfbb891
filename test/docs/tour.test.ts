import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeSettings } from '../../domain/settings.ts';

it('the tour in README sets no variable of the shell that is a setting of Defib', () => {
  const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const tour = page.slice(page.indexOf('## Five minutes'), page.indexOf('## How it works'));
  const commands = tour.split('\n').filter((line) => line.startsWith('$ '));
  const names = commands.flatMap((line) => [...line.matchAll(/[ ]([A-Z][A-Z_]*)=/g)].map(([, name]) => name ?? ''));
  expect(names).toContain('VM_PORT');
  const settings = new Set(describeSettings().map(({ name }) => name));
  expect(names.filter((name) => settings.has(name))).toEqual([]);
});
