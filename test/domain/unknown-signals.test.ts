import { expect, it } from 'vitest';
import { type UnknownSignal, unknownSignalsWarning, withUnknownSignal } from '../../domain/unknown-signals.ts';

const NOW = Date.parse('2026-11-24T02:41:00Z');
const KNOWN = ['pause', 'resume'];
const after = (...names: string[]): UnknownSignal[] =>
  names.reduce<UnknownSignal[]>((signals, name) => withUnknownSignal(signals, name, NOW), []);

it('no warning is given where no signal was unknown', () => {
  expect(unknownSignalsWarning([], KNOWN, NOW)).toBeNull();
});

it('the warning names each unknown signal, how often and when it came, and what is known', () => {
  expect(unknownSignalsWarning(after('shutdown', 'stop', 'shutdown'), KNOWN, NOW)).toBe(
    '**warning**: signals that this workflow does not know were ignored: `shutdown` (2 times, last at 02:41 UTC), `stop` at 02:41 UTC. It knows pause, resume.',
  );
});

it('the warning says when such a signal came last', () => {
  const again = withUnknownSignal(after('shutdown'), 'shutdown', NOW + 60_000);
  expect(again).toEqual([{ name: 'shutdown', times: 2, lastAtMs: NOW + 60_000 }]);
});

it('few names are kept, however many there are, and the rest is counted', () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `signal-${index}`);
  const signals = after(...names);
  expect(signals.map(({ name }) => name)).toEqual([...names.slice(0, 5), 'others']);
  expect(signals.at(-1)?.times).toBe(995);
});

it('a name is cut, and can be no markup', () => {
  const [signal] = after(`\`<b>**${'x'.repeat(500)}`);
  expect(signal?.name).toMatch(/^\?\?b\?\?\?x+$/);
  expect(signal?.name).toHaveLength(60);
});
