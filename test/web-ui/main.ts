import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrowser } from './browser.ts';

/*
 * Takes pictures of what the Web UI shows of Defib that runs here, for people to look at:
 *   node --import tsx test/web-ui/main.ts --ui http://127.0.0.1:8233 --out pictures
 * Needs Chromium on PATH (apt install chromium), or `--browser <path>`.
 */
const { values } = parseArgs({
  options: {
    ui: { type: 'string', default: 'http://127.0.0.1:8233' },
    namespace: { type: 'string', default: 'default' },
    out: { type: 'string', default: 'pictures' },
    browser: { type: 'string' },
  },
});
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => PROGRAMS.map((name) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const pages = `${values.ui}/namespaces/${values.namespace}/workflows`;
/** The gear under the list, and there the column of names. */
const ADD_NAMES = [
  '[data-testid="workflows-summary-table-configuration-button"]',
  '[aria-label="Add VmName column"]',
  '[aria-label="Add VmStatus column"]',
  '[aria-label="Remove Run ID column"]',
  '[aria-label="Remove End column"]',
  '[aria-label^="Close Workflows"]',
];
const ill = "VmStatus='unhealthy' AND ExecutionStatus='Running'";

/** The latest workflow of that kind; undefined = there is none. */
async function latest(query: string): Promise<{ id: string; run: string } | undefined> {
  const listed = await fetch(
    `${values.ui}/api/v1/namespaces/${values.namespace}/workflows?query=${encodeURIComponent(query)}`,
  );
  if (!listed.ok) throw new Error(`The Web UI at ${values.ui} answers ${listed.status}: give its address by --ui.`);
  const { executions = [] } = (await listed.json()) as {
    executions?: { execution: { workflowId: string; runId: string } }[];
  };
  const [first] = executions;
  return first && { id: first.execution.workflowId, run: first.execution.runId };
}

async function pageOf(name: string, query: string, view: string, words: string): Promise<Page[]> {
  const found = await latest(query);
  if (found === undefined) {
    process.stdout.write(`${name}: there is no such workflow now\n`);
    return [];
  }
  return [{ name, url: `${pages}/${encodeURIComponent(found.id)}/${found.run}/${view}`, words }];
}

interface Page {
  name: string;
  url: string;
  /** On it once it is drawn. */
  words: string;
  /** What is clicked before. */
  clicks?: readonly string[];
}

const wanted: Page[] = [
  { name: 'list', url: pages, words: 'reconcile' },
  { name: 'list-with-names', url: pages, words: 'VmName', clicks: ADD_NAMES },
  { name: 'list-of-ill-vms', url: `${pages}?query=${encodeURIComponent(ill)}`, words: 'Workflow' },
  ...(await pageOf('vm-history', "WorkflowType='vmHealth' AND ExecutionStatus='Running'", 'history', 'watch')),
  ...(await pageOf(
    'vm-details',
    "WorkflowType='vmHealth' AND ExecutionStatus='Running'",
    'user-metadata',
    'Current Details',
  )),
  ...(await pageOf('heal-history', "WorkflowType='healVm'", 'history', 'decide')),
  ...(await pageOf('reconcile', "WorkflowId='reconcile' AND ExecutionStatus='Running'", 'history', 'reconcile')),
];

const path = values.browser ?? onPath();
if (path === undefined) {
  process.stderr.write('No Chromium on PATH: apt install chromium, or name one by --browser.\n');
  process.exit(1);
}
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const browser = await startBrowser(path);
try {
  for (const { name, url, words, clicks } of wanted) {
    const { png, text } = await browser.picture(url, words, clicks);
    writeFileSync(join(out, `${name}.png`), png);
    writeFileSync(join(out, `${name}.txt`), `${url}\n\n${text}\n`);
    process.stdout.write(`${join(out, name)}.png\n`);
  }
} finally {
  await browser.close();
}
