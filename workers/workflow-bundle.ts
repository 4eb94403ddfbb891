import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundlePath } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Made by the build, see local/build.mjs; there is none beside the sources. */
const PREBUILT = join(ROOT, 'workflow-bundle.js');
/** What ends up in the bundle; a change of any of it makes a new one. */
const SOURCES = ['workflows', 'domain', 'activities'];

/**
 * The workflows as one file: the build's own, else one kept in `cacheDir` under a hash of the sources and of the SDK's
 * version, because Webpack takes seconds. Tests add interceptors.
 */
export async function workflowBundle(cacheDir: string, interceptorModules: string[] = []): Promise<WorkflowBundlePath> {
  if (interceptorModules.length === 0 && existsSync(PREBUILT)) return { codePath: PREBUILT };
  const file = join(cacheDir, `workflows-${sourcesHash(interceptorModules)}.js`);
  if (!existsSync(file)) {
    mkdirSync(cacheDir, { recursive: true });
    await writeBundle(file, interceptorModules);
  }
  return { codePath: file };
}

/** For the build: bundles the workflows once, so that no production process needs Webpack, its time or a cache folder. */
export async function prebuildWorkflowBundle(): Promise<string> {
  await writeBundle(PREBUILT, []);
  return PREBUILT;
}

async function writeBundle(file: string, interceptorModules: string[]): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: entryPoint(),
    workflowInterceptorModules: interceptorModules,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
}

/** TypeScript in the sources, JavaScript in the build. */
function entryPoint(): string {
  const built = join(ROOT, 'workflows', 'index.js');
  return existsSync(built) ? built : join(ROOT, 'workflows', 'index.ts');
}

function sourcesHash(interceptorModules: readonly string[]): string {
  const hash = createHash('sha256');
  const require = createRequire(import.meta.url);
  hash.update(require('@temporalio/worker/package.json').version);
  for (const module of interceptorModules) hash.update(readFileSync(module));
  for (const folder of SOURCES) {
    const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.[tj]s$/.test(name),
    );
    for (const name of names.toSorted()) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
