// `npm test`. Arguments go to vitest: `npm test -- test/domain`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';
import { runForeground } from './child.mjs';
import { reasonsFor, summarize } from './test-report.mjs';

bootstrap();
const folder = mkdtempSync(join(tmpdir(), 'defib-report-'));
const file = join(folder, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
let code = await runForeground(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)]);
const { passed, failed, skipped, line } = summarize(readReport());
rmSync(folder, { recursive: true, force: true });

for (const reason of reasonsFor(skipped)) say(reason);
if (process.env.DEFIB_REQUIRE_E2E === '1' && skipped.length > 0) {
  for (const { name, reason } of skipped) say(`DEFIB_REQUIRE_E2E=1, but skipped: ${name} (${reason})`);
  code ||= 1;
}
if (passed + failed === 0) {
  say('No test ran.');
  code ||= 1;
}
if (failed > 0) code ||= 1;
if (code !== 0 && failed === 0 && passed > 0 && skipped.length === 0) say('Errors outside of tests, see above.');
say(line);
process.exitCode = code;

function readReport() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
