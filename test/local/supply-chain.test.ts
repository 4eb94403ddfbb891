import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { judgeAudit } from '../../.ci/audit.mjs';
import { judgeLicences } from '../../.ci/licences.mjs';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const run = promisify(execFile);

describe('the licences of packages', () => {
  const wrongIn = (packages: Record<string, object>) => judgeLicences({ packages }).wrong;

  it('are counted, and those that are not allowed are named', () => {
    const packages = {
      '': { license: 'GPL-3.0' },
      'node_modules/a': { license: 'MIT' },
      'node_modules/b/node_modules/@c/d': { license: 'GPL-3.0' },
      'node_modules/e': { version: '1.0.0', integrity: 'sha512-' },
      'node_modules/platform': { version: '1.0.0', optional: true },
    };
    const { counts, wrong } = judgeLicences({ packages });
    expect(Object.fromEntries(counts)).toEqual({ MIT: 1, 'GPL-3.0': 1, none: 1 });
    expect(wrong).toEqual(['@c/d: GPL-3.0', 'e: none']);
  });

  it.each([
    ['MIT OR GPL-3.0', true],
    ['(GPL-3.0 OR MIT)', true],
    ['MIT AND Zlib', true],
    ['MIT AND GPL-3.0', false],
    ['GPL-3.0 OR AGPL-3.0', false],
  ])('in an expression: %s', (license, isAllowed) => {
    expect(wrongIn({ 'node_modules/a': { license } })).toHaveLength(isAllowed ? 0 : 1);
  });

  it('are allowed, of all that the lock file names', () => {
    expect(judgeLicences(JSON.parse(read('package-lock.json'))).wrong).toEqual([]);
  });
});

describe('an audit', () => {
  const answer = (...severities: string[]) =>
    JSON.stringify({
      vulnerabilities: Object.fromEntries(severities.map((severity) => [severity, { name: 'x', severity }])),
    });

  it('fails from a high severity on, and tells the others', () => {
    expect(judgeAudit(answer())).toEqual({ asked: true, found: [] });
    expect(judgeAudit(answer('low', 'high'))).toEqual({
      asked: true,
      found: [
        { name: 'x', severity: 'low', fails: false },
        { name: 'x', severity: 'high', fails: true },
      ],
    });
    expect(judgeAudit(answer('critical'))).toMatchObject({ found: [{ fails: true }] });
  });

  it.each(['', 'npm error', '{"message":"405 Method Not Allowed"}', 'null'])(
    'that was not answered is none: %s',
    (text) => {
      expect(judgeAudit(text)).toEqual({ asked: false });
    },
  );
});

describe('what npm does', () => {
  it('lists all that production installs, as the image holds it', async () => {
    // as in the Dockerfile, whose packages are those of production alone
    const folder = mkdtempSync(join(tmpdir(), 'defib-sbom-'));
    try {
      const { devDependencies: _, ...production } = JSON.parse(read('package.json'));
      const lock = JSON.parse(read('package-lock.json'));
      const packages = Object.entries<{ dev?: boolean }>(lock.packages).filter(([, { dev }]) => dev !== true);
      const root = { '': { ...lock.packages[''], devDependencies: {} } };
      writeFileSync(join(folder, 'package.json'), JSON.stringify(production));
      const lockOfProduction = { ...lock, packages: { ...Object.fromEntries(packages), ...root } };
      writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockOfProduction));
      const asked = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
      const { stdout } = await run('npm', asked, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
      const { bomFormat, components } = JSON.parse(stdout);
      expect(bomFormat).toBe('CycloneDX');
      const names = new Set(components.map(({ name }: { name: string }) => name));
      expect(Object.keys(production.dependencies).filter((name) => !names.has(name))).toEqual([]);
      expect(names).not.toContain('vitest');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('runs no install script, and takes the lock file as it is', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
    for (const file of [
      'Dockerfile',
      'local/bootstrap.mjs',
      '.ci/run',
      'deploy/README.md',
      'README.md',
      'CONTRIBUTING.md',
    ]) {
      expect(read(file), file).not.toMatch(/npm (install|i)\b(?! -g)/);
    }
    expect(read('Dockerfile')).toContain('npm sbom --sbom-format=cyclonedx > sbom.cdx.json');
    expect(read('Dockerfile')).toMatch(/^COPY --from=packages \/defib\/sbom.cdx.json/m);
  });
});
