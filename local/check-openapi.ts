// `npm run check:openapi`: Redocly's linter judges the OpenAPI document by redocly.yaml, without a server and without a network.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeApi } from './describe-api.ts';
import { environment, environmentOfTools } from './environment.mjs';

const require = createRequire(import.meta.url);
const REDOCLY = require.resolve('@redocly/cli/bin/cli.js');
const RULES = fileURLToPath(new URL('../redocly.yaml', import.meta.url));
/** It neither says what it is used for nor asks for a newer version of itself. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

const directory = mkdtempSync(join(tmpdir(), 'defib-openapi-'));
try {
  writeFileSync(join(directory, 'openapi.json'), JSON.stringify(describeApi(), null, 2));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [REDOCLY, 'lint', 'openapi.json', '--config', RULES, '--max-problems', '20'],
    { cwd: directory, encoding: 'utf8', env: { ...environmentOfTools(environment), ...QUIET } },
  );
  process.stdout.write(status === 0 ? 'the OpenAPI document is clean\n' : `${stdout}${stderr}`);
  process.exitCode = status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
