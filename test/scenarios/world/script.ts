/** One line of a scenario's `faults` file. Times are since its beginning. */
export interface Line {
  atMs: number;
  verb: string;
  settings: Record<string, string>;
}

export interface Script {
  policy: Record<string, string>;
  checks: Record<string, string>[];
  lines: Line[];
  endMs: number;
}

/**
 * Reads a `faults` file:
 *
 *     policy action=restart trigger=2        # settings of the policy; none = no policy
 *     check http interval=10                 # one per line; without any, an http check every 10 s
 *     at 20s hang
 *     at 5m end
 */
export function readScript(text: string): Script {
  const script: Script = { policy: {}, checks: [], lines: [], endMs: 0 };
  for (const raw of text.split('\n')) {
    const [first, ...words] = raw.replace(/#.*/, '').trim().split(/\s+/);
    if (first === undefined || first === '') continue;
    if (first === 'policy') script.policy = settingsOf(words);
    else if (first === 'check') script.checks.push({ type: words[0] ?? 'http', ...settingsOf(words.slice(1)) });
    else if (first === 'at') {
      const line = { atMs: timeOf(words[0] ?? ''), verb: words[1] ?? '', settings: settingsOf(words.slice(2)) };
      if (line.verb === 'end') script.endMs = line.atMs;
      else script.lines.push(line);
    } else throw new Error(`faults: "${raw}" begins with none of policy, check, at`);
  }
  if (script.endMs === 0) throw new Error('faults: there is no line "at <time> end"');
  return script;
}

function settingsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [name, value] = word.split('=');
      if (name === undefined || value === undefined) throw new Error(`faults: "${word}" is not name=value`);
      return [name, value];
    }),
  );
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

function timeOf(text: string): number {
  const parts = [...text.matchAll(/(\d+)([smh])/g)];
  if (parts.length === 0) throw new Error(`faults: "${text}" is no time like 20s or 1m30s`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
}
