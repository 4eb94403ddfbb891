import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeAudit } from '../../.ci/audit.mjs';
import { judgeLicences } from '../../.ci/licences.mjs';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

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
