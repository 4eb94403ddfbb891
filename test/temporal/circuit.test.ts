import { ServiceError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { until } from '../../local/until.ts';
import { createCircuitOn, TemporalAway } from '../../temporal/circuit.ts';

/** As the gRPC library throws it. */
function grpcError(code: number): Error {
  return Object.assign(new Error(`status ${code}`), { code, details: '', metadata: {} });
}

const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** A Temporal that answers or not, and what is asked of it. */
function aTemporal() {
  const world = { answers: true, calls: 0, probes: 0, reported: [] as string[] };
  const call = async () => {
    world.calls++;
    if (!world.answers) throw grpcError(UNAVAILABLE);
    return 'done';
  };
  const probe = async () => {
    world.probes++;
    if (!world.answers) throw grpcError(DEADLINE_EXCEEDED);
  };
  const report = { began: () => world.reported.push('began'), over: () => world.reported.push('over') };
  return { world, call, circuit: createCircuitOn(probe, report, 1) };
}

it('fails calls at once after one that was not answered, without making them', async () => {
  const { world, call, circuit } = aTemporal();
  expect(await circuit.attempt(call)).toBe('done');
  world.answers = false;
  await expect(circuit.attempt(call)).rejects.toThrow('status 14');
  for (let i = 0; i < 100; i++) await expect(circuit.attempt(call)).rejects.toBeInstanceOf(TemporalAway);
  expect(world.calls).toBe(2);
  expect(world.reported).toEqual(['began']);
});

it('notices by probes of its own that it is back, without a call', async () => {
  const { world, call, circuit } = aTemporal();
  world.answers = false;
  await circuit.attempt(call).catch(() => undefined);
  await until(() => world.probes > 3);
  world.answers = true;
  await until(() => world.reported.includes('over'));
  expect(await circuit.attempt(call)).toBe('done');
  const { probes } = world;
  await circuit.attempt(call);
  expect(world.probes).toBe(probes);
  expect(world.reported).toEqual(['began', 'over']);
});

it('learns nothing from a call that was made before it was back', async () => {
  const { world, call, circuit } = aTemporal();
  let fail: (error: Error) => void = () => undefined;
  const slow = circuit.attempt(() => new Promise((_resolve, reject) => (fail = reject)));
  world.answers = false;
  await circuit.attempt(call).catch(() => undefined);
  world.answers = true;
  await until(() => world.reported.includes('over'));
  fail(grpcError(UNAVAILABLE));
  await expect(slow).rejects.toThrow('status 14');
  expect(circuit.isAway).toBe(false);
  expect(await circuit.attempt(call)).toBe('done');
  expect(world.reported).toEqual(['began', 'over']);
});

it.each([UNAVAILABLE, DEADLINE_EXCEEDED])(
  'takes status %d for no answer, also inside an error of the SDK',
  async (code) => {
    for (const error of [grpcError(code), new ServiceError('it failed', { cause: grpcError(code) })]) {
      const circuit = createCircuitOn(() => new Promise(() => undefined));
      await expect(circuit.attempt(() => Promise.reject(error))).rejects.toBe(error);
      await expect(circuit.attempt(async () => 'done')).rejects.toBeInstanceOf(TemporalAway);
    }
  },
);

it.each([grpcError(NOT_FOUND), grpcError(RESOURCE_EXHAUSTED), new Error('a bug of ours')])(
  'takes all else for an answer: %s',
  async (error) => {
    const circuit = createCircuitOn(() => new Promise(() => undefined));
    await expect(circuit.attempt(() => Promise.reject(error))).rejects.toBe(error);
    expect(await circuit.attempt(async () => 'done')).toBe('done');
  },
);

it('is not opened again by a call that was made before it came back', async () => {
  const { world, call, circuit } = aTemporal();
  let fail: (error: Error) => void = () => undefined;
  const old = circuit.attempt(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  world.answers = false;
  await circuit.attempt(call).catch(() => undefined);
  world.answers = true;
  await until(() => world.reported.includes('over'));
  fail(grpcError(DEADLINE_EXCEEDED));
  await expect(old).rejects.toThrow('status 4');
  expect(await circuit.attempt(call)).toBe('done');
});
