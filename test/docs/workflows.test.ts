import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { healSignals, vmQueries, vmSignals, vmUpdates, WORKFLOW } from '../../workflows/messages.ts';

const page = readFileSync(new URL('../../docs/workflows.md', import.meta.url), 'utf8');

describe('docs/workflows.md', () => {
  it('gives the command of every signal, query and update', () => {
    const commands = [
      ...Object.values(vmSignals).map(({ name }) => `temporal workflow signal -w vm/$VM --name ${name}`),
      ...Object.values(healSignals).map(({ name }) => `temporal workflow signal -w heal/$VM/1 --name ${name}`),
      ...Object.values(vmQueries).map(({ name }) => `temporal workflow query -w vm/$VM --type ${name}`),
      ...Object.values(vmUpdates).map(({ name }) => `temporal workflow update execute -w vm/$VM --name ${name}`),
    ];
    for (const command of commands) expect(page).toContain(command);
  });

  it('speaks of no signal, query or update that there is not', () => {
    const known = new Set(
      [vmSignals, healSignals, vmQueries, vmUpdates].flatMap((kind) => Object.values(kind).map(({ name }) => name)),
    );
    const spoken = page.matchAll(/workflow (?:signal|query|update execute) -[wq] .*?--(?:name|type) (\w+)/g);
    for (const [, name] of spoken) expect(known).toContain(name);
  });

  it('lists every workflow', () => {
    for (const type of Object.values(WORKFLOW))
      expect(page).toMatch(new RegExp(`^\\| \`[^|]+\` \\| \`${type}\` \\|`, 'm'));
  });
});
