import { expect, it } from 'vitest';
import { missingFromLock } from '../../.ci/lockfile.mjs';

it('finds the optional packages that npm left out, with the platform that their names tell', () => {
  const missing = missingFromLock({
    packages: {
      '': {},
      'node_modules/tool': {
        dev: true,
        optionalDependencies: {
          '@tool/linux-x64-musl': '1.2.3',
          '@tool/windows-arm64': '1.2.3',
          '@tool/here': '1.2.3',
        },
      },
      'node_modules/@tool/here': { version: '1.2.3' },
      'node_modules/parent/node_modules/nested': { optionalDependencies: { '@tool/beside': '2.0.0' } },
      'node_modules/parent/node_modules/@tool/beside': { version: '2.0.0' },
    },
  });
  expect(missing).toEqual([
    {
      path: 'node_modules/@tool/linux-x64-musl',
      entry: { version: '1.2.3', dev: true, optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
    },
    {
      path: 'node_modules/@tool/windows-arm64',
      entry: { version: '1.2.3', dev: true, optional: true, os: ['win32'], cpu: ['arm64'] },
    },
  ]);
});
