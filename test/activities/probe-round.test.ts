import { describe, expect, it } from 'vitest';
import { type RunningProbe, waitForRound } from '../../activities/look/probe-round.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import { probeResult } from '../domain/examples.ts';

function resultOf(checkId: string): CheckResult {
  return { ...probeResult('healthy'), checkId, dueAtMs: 0, checkedAtMs: 0 };
}

const running = (checkId: string, result: Promise<CheckResult>): RunningProbe => ({
  checkId,
  dueAtMs: 0,
  keeper: Symbol('a look'),
  result,
});
const quick = (checkId: string, result = resultOf(checkId)): RunningProbe => running(checkId, Promise.resolve(result));
const stuck = (checkId: string): RunningProbe => running(checkId, new Promise(() => undefined));
const idsOf = (some: readonly { checkId: string }[]): string[] => some.map((one) => one.checkId);

describe('a round of probes', () => {
  it('waits for all while no other check has its turn', async () => {
    const round = await waitForRound([quick('a'), quick('b')], () => Number.POSITIVE_INFINITY);
    expect(idsOf(round.results)).toEqual(['a', 'b']);
    expect(round.late).toEqual([]);
  });

  it('is over at once without probes', async () => {
    expect(await waitForRound([], () => 60_000)).toEqual({ results: [], late: [] });
  });

  it('leaves a slow probe behind when the turn of another check comes', async () => {
    const asked: string[][] = [];
    const round = await waitForRound([quick('a'), stuck('slow')], (probing) => {
      asked.push([...probing]);
      // `a` is due again only once it is done
      return probing.has('a') ? Number.POSITIVE_INFINITY : 1;
    });
    expect(idsOf(round.results)).toEqual(['a']);
    expect(idsOf(round.late)).toEqual(['slow']);
    expect(asked).toEqual([['a', 'slow'], ['slow']]);
  });

  it('keeps no failure waiting for a slow probe, though no other check has its turn', async () => {
    const failure = { ...resultOf('a'), ...probeResult('unhealthy') };
    const round = await waitForRound([quick('a', failure), stuck('slow')], () => Number.POSITIVE_INFINITY);
    expect(idsOf(round.results)).toEqual(['a']);
    expect(idsOf(round.late)).toEqual(['slow']);
  });

  it('takes no more from a probe that it left behind', async () => {
    let finish: (result: CheckResult) => void = () => undefined;
    const answer = new Promise<CheckResult>((resolve) => {
      finish = resolve;
    });
    const slow = running('slow', answer);
    const round = await waitForRound([quick('a'), slow], (probing) => (probing.has('a') ? 60_000 : 1));
    finish(resultOf('slow'));
    await slow.result;
    expect(idsOf(round.results)).toEqual(['a']);
  });
});
