import type { ProviderFact } from './facts.ts';
import type { PowerReading } from './power.ts';

/** How long a guest is given to write the dump of its crash. */
export const DUMP_MS = 10 * 60_000;

/** What the hypervisor said, when, and when a remedy was last done. Times in epoch ms. */
export interface Asked {
  fact: ProviderFact;
  atMs: number;
  lastRemedyDoneAtMs: number | null;
}

/**
 * The reading after the hypervisor was asked again. Without an answer it stays as it is. A change counts from the last remedy,
 * which caused it, unless an answer since then still named the state of before. A pause always counts from when it is first read:
 * it may be a backup's. A dump is announced only once, and the VM is then called running while it is written: the reading stays
 * `dumping` for as long as that may take.
 */
export function readPower(last: PowerReading | null, { fact, atMs, lastRemedyDoneAtMs }: Asked): PowerReading | null {
  if (!fact.answered) return last;
  if (last === null) return { state: fact.power, sinceMs: atMs, before: null };
  const remediedAtMs = lastRemedyDoneAtMs ?? 0;
  const remedied = remediedAtMs > last.sinceMs;
  const sinceMs = remedied && fact.power !== 'paused' ? remediedAtMs : atMs;
  if (fact.power === last.state) {
    if (!remedied) return last;
    // what comes next is not the remedy's doing; a VM that was resumed and is paused again was paused by somebody
    return { ...last, sinceMs, before: fact.power === 'paused' ? last.before : null };
  }
  if (last.state === 'dumping' && fact.power === 'running' && atMs < last.sinceMs + DUMP_MS) return last;
  return { state: fact.power, sinceMs, before: last.state };
}
