import { describe, expect, it } from 'vitest';
import { whyInstall } from '../../local/bootstrap.mjs';

const packages = {
  '': { version: '0.1.0' },
  'node_modules/zod': { version: '4.6.7', integrity: 'sha512-a' },
  'node_modules/pg/node_modules/ms': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/@esbuild/aix-ppc64': { version: '1.0.0', integrity: 'sha512-c', optional: true },
};
const { '': _root, 'node_modules/@esbuild/aix-ppc64': _other, ...installed } = packages;

describe('whether npm packages have to be installed', () => {
  it('lets be what fits, packages for other platforms aside', () => {
    expect(whyInstall({ packages }, { packages: installed })).toBeUndefined();
  });

  it('installs where nothing is installed, or npm was interrupted', () => {
    expect(whyInstall({ packages }, undefined)).toBe('none are installed yet');
  });

  it.each([
    ['missing', { 'node_modules/zod': undefined }, 'zod is missing'],
    ['of another version', { 'node_modules/zod': { version: '4.0.0', integrity: 'x' } }, 'zod is 4.0.0, not 4.6.7'],
    [
      'nested and of another content',
      { 'node_modules/pg/node_modules/ms': { version: '2.0.0', integrity: 'sha512-x' } },
      'ms is 2.0.0, not 2.0.0',
    ],
    [
      'optional and of another version',
      { 'node_modules/@esbuild/aix-ppc64': { version: '0.9.0', integrity: 'sha512-c' } },
      '@esbuild/aix-ppc64 is 0.9.0, not 1.0.0',
    ],
  ])('installs when a package is %s', (_title, change, reason) => {
    const changed = Object.fromEntries(
      Object.entries({ ...installed, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(whyInstall({ packages }, { packages: changed })).toBe(reason);
  });
});
