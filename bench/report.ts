import { writeFileSync } from 'node:fs';

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

  /** The table of all figures, and in words what falls short. */
  summary(): void {
    this.heading('Figures to reach');
    const word = (ok: boolean | null) => (ok === null ? '' : ok ? 'yes' : '**no**');
    this.table(
      ['Figure', 'Goal', 'Measured', 'OK'],
      this.figures.map(({ figure, goal, measured, ok }) => [figure, goal, measured, word(ok)]),
    );
    const short = this.figures.filter(({ ok }) => ok === false);
    this.say(short.length === 0 ? 'Nothing measured here falls short.' : 'Falls short:');
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

/** By nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

/** `23 / 85 / 120 ms` */
export function spread(values: readonly number[], digits = 0): string {
  if (values.length === 0) return 'nothing measured';
  const [p50, p99, most] = [50, 99, 100].map((percent) => percentile(values, percent).toFixed(digits));
  return `${p50} / ${p99} / ${most} ms`;
}
