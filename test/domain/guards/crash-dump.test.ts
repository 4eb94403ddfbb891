import { describe, expect, it } from 'vitest';
import { crashDump } from '../../../domain/guards/crash-dump.ts';
import { illAt, MINUTE } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

describe('crash-dump', () => {
  it('gives a guest ten minutes to write its dump', () => {
    expect(ask(crashDump, { facts: illAt('dumping', 0) })?.lookAgainInMs).toBe(MINUTE);
    expect(ask(crashDump, { facts: illAt('dumping', 10 * MINUTE - 1) })).toMatchObject({
      reason: 'crash-dump',
      lookAgainInMs: 1,
    });
    expect(ask(crashDump, { facts: illAt('dumping', 10 * MINUTE) })).toBeNull();
  });

  it('goes by what was announced, while the VM reads as running', () => {
    const facts = illAt('dumping', MINUTE, { provider: { answered: true, power: 'running', detail: 'running' } });
    expect(ask(crashDump, { facts })).not.toBeNull();
  });

  it('has no objection to other states, nor to notifying people', () => {
    expect(ask(crashDump, { facts: illAt('panicked', 0) })).toBeNull();
    expect(ask(crashDump, { facts: illAt('dumping', 0), remedy: NOTIFY })).toBeNull();
  });
});
