/* The import walls: domain ← everyone; workflows know the world only by types; packages stay where they are needed. */

const PACKAGES = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

/**
 * Each room: the modules of other rooms that it may import, the packages, and whether Node's own modules. Rooms that are not
 * named (local, test, bench) may import all.
 */
const ROOMS = {
  domain: { rooms: [], packages: [] },
  workflows: {
    rooms: ['^domain/', '^activities/contract\\.ts$'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  activities: {
    rooms: ['^domain/', '^checks/', '^providers/', '^db/'],
    packages: ['@temporalio/activity', '@temporalio/common', 'dataloader', 'lru-cache', 'pino'],
    node: true,
  },
  checks: { rooms: ['^domain/'], packages: ['ipaddr.js', 'undici', 'zod'], node: true },
  providers: { rooms: ['^domain/'], packages: ['zod'], node: true },
  db: { rooms: ['^domain/'], packages: ['drizzle-orm', 'pg', 'uuid'], node: true },
  // the port that it implements is declared by those who need it
  temporal: {
    rooms: ['^domain/', '^workflows/messages\\.ts$', '^activities/dependencies\\.ts$'],
    packages: ['@temporalio/client', '@temporalio/common', 'uuid'],
  },
  api: {
    rooms: ['^domain/', '^db/', '^temporal/', '^checks/(registry|check)\\.ts$', '^providers/(registry|provider)\\.ts$'],
    packages: [
      '@asteasolutions/zod-to-openapi',
      'express',
      'helmet',
      'ipaddr.js',
      'pino',
      'pino-http',
      'prom-client',
      'rate-limiter-flexible',
      'swagger-ui-dist',
      'zod',
    ],
    node: true,
  },
  workers: {
    rooms: ['^(domain|workflows|activities|checks|providers|db|temporal|api)/'],
    // envconfig: TEMPORAL_… settings and profiles as the temporal CLI reads them
    packages: ['@temporalio/client', '@temporalio/envconfig', '@temporalio/worker', 'pino'],
    node: true,
  },
};

const literally = (name) => name.replaceAll('.', '\\.');
const inPackages = (names) => names.map((name) => `(^|/)node_modules/(@types/)?${literally(name)}/`);

function wallsOf([room, { rooms, packages, node = false }]) {
  const from = { path: `^${room}/` };
  return [
    {
      name: `${room}-imports-only-rooms-it-may`,
      severity: 'error',
      from,
      to: { path: '^[^/]+(/|$)', pathNot: [`^${room}/`, ...rooms], dependencyTypesNot: [...PACKAGES, 'core'] },
    },
    {
      name: `${room}-imports-only-packages-it-may`,
      severity: 'error',
      // settings are parsed by zod, purely
      from: { ...from, pathNot: '^domain/settings\\.ts$' },
      to: { dependencyTypes: PACKAGES, pathNot: inPackages(packages) },
    },
    ...(node ? [] : [{ name: `${room}-knows-no-node`, severity: 'error', from, to: { dependencyTypes: ['core'] } }]),
  ];
}

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).flatMap(wallsOf),
    {
      name: 'settings-know-only-zod',
      severity: 'error',
      from: { path: '^domain/settings\\.ts$' },
      to: { dependencyTypes: PACKAGES, pathNot: inPackages(['zod']) },
    },
    {
      name: 'the-contract-imports-types-only',
      comment: 'A value would drag its module, and Node with it, into the workflow bundle.',
      severity: 'error',
      from: { path: '^activities/contract\\.ts$' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tests-and-benches-are-not-imported',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'nothing-is-built-on-local',
      severity: 'error',
      from: { pathNot: '^(local|test|bench)/|^[^/]+$' },
      to: { path: '^local/' },
    },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    // Types count: what a room knows of another is what walls are about.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
