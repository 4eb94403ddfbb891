// `npm run build`: dist/ holds what production runs, on the packages of `npm ci --omit=dev`. Nothing of local/ goes there.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
// What is left of a source that is gone would be run too.
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
// Read at run time, so tsc doesn't know of it.
cpSync('db/migrations', 'dist/db/migrations', { recursive: true });
// The compiled code bundles itself: the workflows are found, and hashed, just as a worker would.
const { prebuildWorkflowBundle } = await import('../dist/workers/workflow-bundle.js');
process.stdout.write(`Built dist/ with ${relative(root, await prebuildWorkflowBundle())}.\n`);
