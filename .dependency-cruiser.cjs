/* The import walls of docs: domain ← everyone; workflows know the world only by types; nothing knows the outermost. */

/** Modules that a room may import, besides its own. Packages and Node's own modules are ruled separately. */
const wall = (room, allowed) => ({
  name: `${room}-imports-only-what-it-may`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: {
    path: '^[^/]+(/|$)',
    pathNot: [`^${room}/`, ...allowed],
    // Packages are no rooms; for domain and workflows there are rules below.
    dependencyTypesNot: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
  },
});

const outermost = ['api', 'workers', 'local'];

module.exports = {
  forbidden: [
    wall('domain', []),
    wall('workflows', ['^domain/', '^activities/contract\\.ts$']),
    wall('activities', ['^domain/', '^checks/', '^providers/', '^guests/', '^db/', '^workflows/messages\\.ts$']),
    wall('checks', ['^domain/']),
    wall('providers', ['^domain/']),
    wall('guests', ['^domain/', '^db/']),
    wall('db', ['^domain/']),
    // The port it implements is declared by those who need it.
    wall('temporal', ['^domain/', '^workflows/messages\\.ts$', '^activities/dependencies\\.ts$']),
    wall('api', [
      '^domain/',
      '^db/',
      '^temporal/',
      '^workflows/messages\\.ts$',
      '^checks/(registry|check)\\.ts$',
      '^providers/',
    ]),
    {
      name: 'domain-is-pure',
      comment: 'No package, no module of Node: domain code runs inside workflows too. Settings are parsed by zod, purely.',
      severity: 'error',
      from: { path: '^domain/', pathNot: '^domain/settings\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'] },
    },
    {
      name: 'settings-know-only-zod',
      severity: 'error',
      from: { path: '^domain/settings\\.ts$' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
        pathNot: '(^|/)node_modules/zod/',
      },
    },
    {
      name: 'workflows-use-only-the-workflow-sdk',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
        pathNot: '(^|/)node_modules/@temporalio/(workflow|common)/',
      },
    },
    {
      name: 'nothing-imports-the-outermost-rooms',
      comment: 'Workers may import the api: the all-in-one process serves it.',
      severity: 'error',
      from: { pathNot: '^(api|workers|local|test|bench)/|^[^/]+$' },
      to: { path: `^(${outermost.join('|')})/` },
    },
    {
      name: 'api-is-not-built-on-workers-or-local',
      severity: 'error',
      from: { path: '^api/' },
      to: { path: '^(workers|local)/' },
    },
    {
      name: 'workers-are-not-built-on-local',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^local/' },
    },
    {
      name: 'tests-and-benches-are-not-imported',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
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
