import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../domain/settings.ts';
import { TEMPORAL_SETTINGS } from '../../local/temporal-settings.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('what production is made of', () => {
  it("gives Temporal the settings that npm start's own server has", () => {
    const given = read('deploy/temporal/dynamic-config.yaml').matchAll(/^([\w.]+):\n {2}- value: (\S+)$/gm);
    const values = Object.fromEntries([...given].map(([, name, value]) => [name, JSON.parse(value ?? '')]));
    expect(values).toEqual(TEMPORAL_SETTINGS);
  });

  it('has no password of its own: every secret must be set', () => {
    const secrets = read('docker-compose.yml').match(/\$\{\w*(PASSWORD|TOKEN|SECRET)\w*[^}]*\}/g) ?? [];
    expect(secrets).not.toEqual([]);
    for (const secret of secrets) expect(secret).toMatch(/^\$\{\w+:\?set it in \.env/);
  });

  it('publishes its ports on loopback only', () => {
    const published = read('docker-compose.yml').match(/^ +- \S+:\d+$/gm) ?? [];
    expect(published).toHaveLength(3);
    for (const port of published) expect(port.trim()).toMatch(/^- 127\.0\.0\.1:/);
  });

  it('has the retention of heal events that the settings have', () => {
    const parsed = parseSettings({});
    const days = parsed.ok && parsed.settings.HEAL_RETENTION_DAYS;
    expect(read('docker-compose.yml')).toContain(`RETENTION: \${HEAL_RETENTION_DAYS:-${days}}d`);
  });

  it('lets checks reach none of the services that keep running', () => {
    const compose = read('docker-compose.yml');
    const services = compose.slice(compose.indexOf('\nservices:\n')).split(/\n(?=\w)/)[1] ?? '';
    const blocks = [...services.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)*)/gm)];
    const keepRunning = blocks.filter(([, , block]) => !block?.includes('restart: on-failure')).map(([, name]) => name);
    expect(keepRunning).toContain('temporal-ui');
    expect(/CHECK_TARGETS_REFUSE: (\S+)/.exec(compose)?.[1]?.split(',').toSorted()).toEqual(keepRunning.toSorted());
  });

  it('runs entry points that exist', () => {
    const started = ['Dockerfile', 'docker-compose.yml', 'deploy/systemd/defib.service'].flatMap(
      (path) => read(path).match(/dist\/[\w/-]+\.js/g) ?? [],
    );
    expect(new Set(started)).toContain('dist/workers/all-in-one.js');
    for (const path of started) read(path.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
  });
});
