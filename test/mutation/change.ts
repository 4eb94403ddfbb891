import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { ROOT } from '../support/program.ts';

/** One place of a source, as it is and as it would be. */
export interface Change {
  /** From the checkout's folder. */
  file: string;
  /** From 1. */
  line: number;
  /** Offsets in the file. */
  start: number;
  end: number;
  original: string;
  replacement: string;
  /** Stryker's name for this kind of change, e.g. `ConditionalExpression`. */
  mutator: string;
}

interface Position {
  line: number;
  column: number;
}

/** A change as Stryker tells it; its lines and columns are from `base`. */
export function changeAt(
  file: string,
  source: string,
  { location, replacement, mutatorName }: StrykerMutant,
  base: 0 | 1,
): Change {
  const lines = source.split('\n');
  const offset = ({ line, column }: Position) =>
    lines.slice(0, line - base).reduce((sum, text) => sum + text.length + 1, 0) + column - base;
  const [start, end] = [offset(location.start), offset(location.end)];
  const original = source.slice(start, end);
  const line = location.start.line - base + 1;
  return { file, line, start, end, original, replacement: replacement ?? '', mutator: mutatorName };
}

interface StrykerMutant {
  location: { start: Position; end: Position };
  replacement?: string | undefined;
  mutatorName: string;
}

const QUIET = { isDebugEnabled: () => false, debug() {}, info() {} };

/** Every change that Stryker would make to the sources of a folder, in the order of the sources. */
export async function changesIn(folder: string): Promise<Change[]> {
  const files = readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .map((name) => ({ name: `${folder}/${name}`, mutate: true, content: sourceOf(`${folder}/${name}`) }));
  // of a logger it uses only these
  const instrumenter = new Instrumenter(QUIET as unknown as ConstructorParameters<typeof Instrumenter>[0]);
  const { mutants } = await instrumenter.instrument(files, { ignorers: [], excludedMutations: [], plugins: null });
  return mutants.map((mutant) => changeAt(mutant.fileName, sourceOf(mutant.fileName), mutant, 0));
}

export function sourceOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** A change in one line, as docs/testing.md lists it: `a > b → a >= b`. */
export function inOneLine({ original, replacement }: Change): string {
  return `${shortened(original)} → ${shortened(replacement)}`;
}

function shortened(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ').trim();
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
