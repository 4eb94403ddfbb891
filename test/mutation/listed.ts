import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/program.ts';
import { type Change, inOneLine } from './change.ts';

/** The page that gives a reason for each change that no test notices. */
const PAGE = 'docs/testing.md';

/** A row of that page for this change; its reason is for a person to give. */
export function rowOf(change: Change, reason = ''): string {
  return `| \`${change.file}\` | ${asCode(inOneLine(change))} | ${reason} |`;
}

/** Whether that page lists the change. */
export function isListed(change: Change): boolean {
  return rows().some((row) => row.startsWith(rowOf(change).slice(0, -3)));
}

let read: string[] | undefined;
function rows(): string[] {
  read ??= readFileSync(join(ROOT, PAGE), 'utf8').split('\n');
  return read;
}

/** Code in a table of Markdown, backticks and bars included. */
function asCode(text: string): string {
  const code = text.replaceAll('|', '\\|');
  return code.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``;
}
