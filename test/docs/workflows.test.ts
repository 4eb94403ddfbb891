import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HEAL_SIGNAL, VM_QUERY, VM_SIGNAL, VM_UPDATE, WORKFLOW } from '../../workflows/messages.ts';

const page = readFileSync(new URL('../../docs/workflows.md', import.meta.url), 'utf8');

describe('docs/workflows.md', () => {
  it('gives the command of every signal, query and update', () => {
    const commands = [
      ...Object.values(VM_SIGNAL).map((name) => `temporal workflow signal -w vm/$VM --name ${name}`),
      ...Object.values(HEAL_SIGNAL).map((name) => `temporal workflow signal -w heal/$VM/1 --name ${name}`),
      ...Object.values(VM_QUERY).map((name) => `temporal workflow query -w vm/$VM --type ${name}`),
      ...Object.values(VM_UPDATE).map((name) => `temporal workflow update execute -w vm/$VM --name ${name}`),
    ];
    for (const command of commands) expect(page).toContain(command);
  });

  it('speaks of no signal, query or update that there is not', () => {
    const known = new Set<string>([VM_SIGNAL, HEAL_SIGNAL, VM_QUERY, VM_UPDATE].flatMap((kind) => Object.values(kind)));
    const spoken = page.matchAll(/workflow (?:signal|query|update execute) -[wq] .*?--(?:name|type) (\w+)/g);
    for (const [, name] of spoken) expect(known).toContain(name);
  });

  it('lists every workflow', () => {
    for (const type of Object.values(WORKFLOW))
      expect(page).toMatch(new RegExp(`^\\| \`[^|]+\` \\| \`${type}\` \\|`, 'm'));
  });
});
