import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { healSignals, vmQueries, vmSignals, vmUpdates, WORKFLOW } from '../../workflows/messages.ts';
import * as searchAttributes from '../../workflows/search-attributes.ts';

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
    // `shutdown` is the page's example of one that there is not
    for (const [, name] of spoken) if (name !== 'shutdown') expect(known).toContain(name);
  });

  it('defines each shell variable that its commands use', () => {
    const shell = [...page.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? '').join('\n');
    const used = new Set([...shell.matchAll(/\$([A-Z][A-Z_]*)/g)].map(([, name]) => name));
    const defined = [...shell.matchAll(/^([A-Z][A-Z_]*)=/gm)].map(([, name]) => name);
    expect([...used].toSorted()).toEqual(defined.toSorted());
    expect(page.indexOf(`\nDEFIB=`)).toBeLessThan(page.indexOf('$DEFIB'));
  });

  it('links filters of the Web UI by the attributes that there are', () => {
    const links = [
      ...page.matchAll(/\(http:\/\/127\.0\.0\.1:8233\/namespaces\/default\/workflows\?query=([^)\s]+)\)/g),
    ];
    const queries = links.map(([, query]) => decodeURIComponent(query ?? ''));
    expect(queries).toContain("VmStatus='unhealthy' AND ExecutionStatus='Running'");
    const known = new Set([
      ...Object.values(searchAttributes).map(({ name }) => name),
      'ExecutionStatus',
      'WorkflowType',
    ]);
    for (const query of queries) {
      for (const [, name] of query.matchAll(/(\w+)=/g)) expect(known).toContain(name);
    }
  });

  it('names every search attribute', () => {
    for (const { name } of Object.values(searchAttributes)) expect(page).toContain(`\`${name}\``);
  });

  it('lists every workflow', () => {
    for (const type of Object.values(WORKFLOW))
      expect(page).toMatch(new RegExp(`^\\| \`[^|]+\` \\| \`${type}\` \\|`, 'm'));
  });
});
