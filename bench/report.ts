import { writeFileSync } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';

/** A figure of the last table. `ok` is null where there is no goal. */
export interface Figure {
  readonly figure: string;
  readonly goal: string;
  readonly measured: string;
  readonly ok: boolean | null;
}

/** Prints as it goes and keeps the same text as Markdown. */
export class Report {
  readonly figures: Figure[] = [];
  #markdown = '';

  heading(text: string, level = 2): void {
    this.#put(`\n${'#'.repeat(level)} ${text}\n\n`);
  }

  say(text: string): void {
    this.#put(`${text}\n`);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
    const line = (cells: readonly string[]) =>
      `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
    const rule = widths.map((width) => '-'.repeat(width));
    this.#put(`\n${[head, rule, ...rows].map(line).join('\n')}\n\n`);
  }

  add(...figures: Figure[]): void {
    this.figures.push(...figures);
  }

  /** The table of all figures, and those that are not reached. */
  summary(): void {
    this.heading('Figures to reach');
    const word = (ok: boolean | null) => (ok === null ? '' : ok ? 'yes' : '**no**');
    this.table(
      ['Figure', 'Goal', 'Measured', 'OK'],
      this.figures.map(({ figure, goal, measured, ok }) => [figure, goal, measured, word(ok)]),
    );
    const short = this.figures.filter(({ ok }) => ok === false);
    this.say(short.length === 0 ? 'Every figure is reached.' : 'Not reached:');
    for (const { figure, goal, measured } of short) this.say(`- ${figure}: ${measured}, the goal is ${goal}`);
  }

  writeTo(file: string): void {
    writeFileSync(file, `${this.#markdown.trim()}\n`);
  }

  /** For the person who waits; not part of the report. */
  progress(line: string): void {
    process.stderr.write(`  ${line}\n`);
  }

  #put(text: string): void {
    this.#markdown += text;
    process.stdout.write(text);
  }
}

/** Many durations, to three digits. */
export class Durations {
  /** It takes whole numbers from 1: microseconds. */
  readonly #micros = createHistogram();

  constructor(manyMs: readonly number[] = []) {
    for (const ms of manyMs) this.#micros.record(Math.max(1, Math.round(ms * 1_000)));
  }

  get count(): number {
    return this.#micros.count;
  }

  get p99Ms(): number {
    return this.#micros.percentile(99) / 1_000;
  }

  /** p50 / p99 / max: `23 / 85 / 120 ms` */
  toString(): string {
    if (this.count === 0) return 'nothing measured';
    const micros = [this.#micros.percentile(50), this.#micros.percentile(99), this.#micros.max];
    return `${micros.map((one) => (one / 1_000).toFixed(0)).join(' / ')} ms`;
  }
}
