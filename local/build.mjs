// `npm run build`: dist/ holds what production runs, on the packages of `npm ci --omit=dev`. Nothing of local/ goes there.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, root } from './bootstrap.mjs';

bootstrap();
const dist = join(root, 'dist');
// What is left of a source that is gone would be run too.
rmSync(dist, { recursive: true, force: true });

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(1);

// Read at run time, so tsc doesn't know of it.
cpSync(join(root, 'db', 'migrations'), join(dist, 'db', 'migrations'), { recursive: true });

// The compiled code bundles itself: the workflows are found, and hashed, just as a worker would.
const built = pathToFileURL(join(dist, 'workers', 'workflow-bundle.js')).href;
const { prebuildWorkflowBundle } = await import(built);
process.stdout.write(`Built ${relative(root, dist)}/ with ${relative(root, await prebuildWorkflowBundle())}.\n`);
