// `npm run check:audit`: known weaknesses of the packages that production runs. Where the registry can't be asked, or answers no
// audits, it says so and is content: a build must not depend on it.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A build fails from this severity on. */
const FAILS = new Set(['high', 'critical']);
const MAX_MS = 60_000;

/**
 * What an answer of `npm audit --json` comes to.
 * @param {string} answer
 * @returns {{asked: false} | {asked: true, found: {name: string, severity: string, fails: boolean}[]}}
 */
export function judgeAudit(answer) {
  const parsed = parse(answer);
  if (typeof parsed?.vulnerabilities !== 'object') return { asked: false };
  const found = Object.values(parsed.vulnerabilities).map(({ name, severity }) => {
    return { name, severity, fails: FAILS.has(severity) };
  });
  return { asked: true, found };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  const args = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=0'];
  const { stdout } = spawnSync('npm', args, { encoding: 'utf8', timeout: MAX_MS, stdio: ['ignore', 'pipe', 'ignore'] });
  const judged = judgeAudit(stdout ?? '');
  if (!judged.asked) process.stdout.write('not audited: the registry does not answer audits\n');
  else if (judged.found.length === 0) process.stdout.write('audited: no known weaknesses\n');
  else for (const { name, severity } of judged.found) process.stdout.write(`${severity}: ${name}\n`);
  process.exitCode = judged.asked && judged.found.some(({ fails }) => fails) ? 1 : 0;
}
