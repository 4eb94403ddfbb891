import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../../domain/guards/guard.ts';
import { GUARDS } from '../../../domain/remedy.ts';
import { failing, HOUR, ill, illAt, MINUTE, NOW, SECOND, silent } from '../examples.ts';
import { ask, MIGRATE, RESUME, RESUME_STORAGE, START } from './ask.ts';

const page = readFileSync(new URL('../../../docs/guards.md', import.meta.url), 'utf8');

interface Section {
  place: number;
  reason: string;
  text: string;
}

const sections: Section[] = page
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [, place, reason] = /^(\d+)\. `([a-z-]+)`/.exec(text) ?? [];
    return { place: Number(place), reason: reason ?? '', text: text.replaceAll('\n', ' ') };
  });

const notSent = (count: number) => ({ count, lastAtMs: NOW - SECOND, lastDetail: 'busy' });
const attempt = (ageMs: number) => ({ atMs: NOW - ageMs, escalation: false });

/** Cases that each guard objects to; a guard without one here fails below. */
const OBJECTIONABLE: Record<string, Partial<Case>[]> = {
  paused: [{ facts: ill({ paused: { reason: 'busy', by: 'busy' } }) }],
  'in-transit': (['suspended', 'saving', 'restoring', 'migrating', 'debugging', 'starting', 'unknown'] as const).map(
    (power) => ({ facts: ill({ provider: { answered: true, power, detail: 'busy' } }) }),
  ),
  'crash-dump': [{ facts: illAt('dumping', 0) }],
  'paused-at-hypervisor': [{ facts: illAt('paused', 0), remedy: RESUME }],
  'storage-failed': [{ facts: illAt('storage-failed', 0), remedy: RESUME_STORAGE }],
  'off-at-hypervisor': [{ facts: illAt('off', 0), remedy: START }],
  'runs-again': [{ facts: illAt('running', 0) }],
  'not-sendable': [{ facts: ill({ notSent: notSent(12) }) }],
  'not-watched': [{ facts: ill({ lastLookAtMs: NOW - 20 * MINUTE }) }],
  unproven: [
    { facts: ill({ checks: [failing({ provenAtMs: null })] }) },
    { facts: ill({ checks: [failing({ provenAtMs: null, name: 'admin' })] }) },
  ],
  'boot-grace': [{ facts: ill({ startedAtMs: NOW - SECOND, checks: [failing({ lastHealthyAtMs: null })] }) }],
  'below-threshold': [{ facts: ill({ consecutiveFailures: 1 }) }],
  'silence-alone': [{ facts: ill({ checks: [silent()] }) }],
  'failures-old': [
    { facts: ill({ checks: [failing({ lastCheckAtMs: NOW - 20 * MINUTE })] }) },
    { facts: ill({ lastRemedyDoneAtMs: NOW }) },
  ],
  'attempts-used-up': [{ facts: ill({ attempts: [1, 2, 3].map((n) => attempt(n * MINUTE)) }) }],
  cooldown: [{ facts: ill({ attempts: [attempt(MINUTE)] }) }, { facts: ill({ notSent: notSent(1) }) }],
  'action-unsupported': [{ remedy: MIGRATE }],
  'provider-unreachable': [{ facts: ill({ provider: { answered: false, reason: 'busy', message: 'busy' } }) }],
};

/** Guards that ask again when something is over; their tables say when that is. */
const ASK_AT_AN_END = new Set(['boot-grace', 'crash-dump', 'storage-failed', 'attempts-used-up', 'cooldown']);
const WAITS: Record<string, number> = { '15 s': 15 * SECOND, 'a minute': MINUTE, 'an hour': HOUR };

/** As the page writes it. */
function generalised(words: string): string {
  return words
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
    .replaceAll(/\b\d+\b/g, 'N')
    .replaceAll(/"\w+"|busy/g, (word) => (word === 'busy' ? '…' : '"…"'));
}

describe('docs/guards.md', () => {
  it('lists every guard, in the order in which they are asked', () => {
    expect(sections.map((section) => section.reason)).toEqual(GUARDS.map((guard) => guard.reason));
    expect(sections.map((section) => section.place)).toEqual(GUARDS.map((_, i) => i + 1));
  });

  it('says of each guard what it says and what would change its mind', () => {
    for (const guard of GUARDS) {
      const text = sections.find((section) => section.reason === guard.reason)?.text;
      const objections = (OBJECTIONABLE[guard.reason] ?? []).map((given) => ask(guard, given));
      expect(objections, guard.reason).not.toEqual([]);
      for (const objection of objections) {
        expect(text).toContain(`> ${generalised(objection?.sentence ?? 'no objection')} `);
        expect(text).toContain(`**Changes its mind:** ${generalised(objection?.wouldChange ?? 'no objection')}.`);
      }
    }
  });

  it('says of each guard when it asks again', () => {
    for (const { reason, text } of sections.filter((section) => !ASK_AT_AN_END.has(section.reason))) {
      const [, wait = 'not said'] = /Asks again after (15 s|a minute|an hour)/.exec(text) ?? [];
      const guard = GUARDS.find((one) => one.reason === reason);
      const objections = (OBJECTIONABLE[reason] ?? []).map((given) => guard && ask(guard, given));
      for (const objection of objections) expect(objection?.lookAgainInMs, reason).toBe(WAITS[wait] ?? wait);
    }
  });
});

describe('domain/guards', () => {
  it('holds no guard that is not asked', () => {
    const files = readdirSync(new URL('../../../domain/guards/', import.meta.url)).map((name) => name.slice(0, -3));
    expect(files.filter((name) => name !== 'guard').toSorted()).toEqual(GUARDS.map((guard) => guard.reason).toSorted());
  });

  it('each has its table of cases beside its reason code', () => {
    const tables = readdirSync(new URL('./', import.meta.url));
    for (const guard of GUARDS) expect(tables).toContain(`${guard.reason}.test.ts`);
  });
});
