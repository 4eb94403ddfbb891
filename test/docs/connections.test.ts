import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeSettings } from '../../domain/settings.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/connections.md');

describe('docs/connections.md', () => {
  it('speaks of every setting of a connection', () => {
    const settings = describeSettings().map(({ name }) => name);
    const ofConnections = settings.filter((name) =>
      /^(PGSSL|TEMPORAL_(TLS|API|CONFIG|PROFILE|ADDRESS|NAMESPACE))/.test(name),
    );
    expect(ofConnections.length).toBeGreaterThan(14);
    // of a pair, the second is written as its end alone
    for (const name of ofConnections) expect(page).toContain(name.replace(/_DATA$/, '_PATH`, `…_DATA'));
  });

  it('quotes what processes say', () => {
    const said = ['connection-reason', 'temporal-probe', 'temporal-connection']
      .map((file) => read(`workers/${file}.ts`))
      .join();
    const table = page.slice(page.indexOf("## When it can't connect"));
    const quotes = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, quote = '']) => quote);
    expect(quotes.length).toBeGreaterThan(5);
    for (const quote of quotes) expect(said).toContain(quote.replace(/ \([A-Z]+\)$| \(…\)$| "…"$/, ''));
  });
});
