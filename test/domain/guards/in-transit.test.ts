import { describe, expect, it } from 'vitest';
import { inTransit } from '../../../domain/guards/in-transit.ts';
import { HOUR, illAt, NOW } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

describe('in-transit', () => {
  it.each(['suspended', 'saving', 'restoring', 'migrating', 'debugging', 'starting', 'unknown'] as const)(
    'objects to a power action on a VM that is %s, however long',
    (state) => {
      expect(ask(inTransit, { facts: illAt(state, 9 * HOUR) })).toMatchObject({ reason: 'in-transit' });
    },
  );

  it.each(['running', 'paused', 'off', 'panicked', 'dumping', 'storage-failed'] as const)(
    'has no objection to a VM that is %s',
    (state) => {
      expect(ask(inTransit, { facts: illAt(state, 0) })).toBeNull();
    },
  );

  it('has no objection to one that a remedy of this incident left prepared and not started', () => {
    const facts = illAt('starting', HOUR, { lastRemedyDoneAtMs: NOW - HOUR });
    expect(ask(inTransit, { facts })).toBeNull();
    expect(ask(inTransit, { facts: { ...facts, lastRemedyDoneAtMs: NOW } })).toBeNull();
  });

  it('objects to one that somebody prepared since', () => {
    const facts = illAt('starting', HOUR, { lastRemedyDoneAtMs: NOW - 2 * HOUR });
    expect(ask(inTransit, { facts })).toMatchObject({ reason: 'in-transit' });
  });

  it('objects to one that is in another state now, whatever a remedy left before, and the other way round', () => {
    const left = illAt('starting', HOUR, { lastRemedyDoneAtMs: NOW });
    const saving = { ...left, provider: illAt('saving', 0).provider };
    const prepared = { ...left, powerReading: illAt('saving', HOUR).powerReading };
    for (const facts of [saving, prepared]) expect(ask(inTransit, { facts })?.reason).toBe('in-transit');
  });

  it("says what the VM does, and the hypervisor's own word", () => {
    const facts = illAt('saving', 0, { provider: { answered: true, power: 'saving', detail: 'save-vm' } });
    expect(ask(inTransit, { facts })?.sentence).toBe('its state is being saved: save-vm');
  });

  it('does not object to notifying people', () => {
    expect(ask(inTransit, { facts: illAt('migrating', 0), remedy: NOTIFY })).toBeNull();
  });
});
