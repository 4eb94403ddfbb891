import { createConnection } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createQemuProvider } from '../../providers/qemu/qemu-provider.ts';
import { objectionTo, toPowerState } from '../../providers/qemu/vm-status.ts';
import { FakeQmp, type Misbehaviour, type Mood } from '../support/fake-qmp.ts';

let fake: FakeQmp;

beforeEach(async () => {
  fake = await FakeQmp.start();
});

afterEach(() => fake.remove());

function state(timeoutMs = 10_000) {
  const provider = createQemuProvider({ qmpSocketDirs: [fake.dir] });
  return provider.state({ kind: 'qemu', qmpSocket: fake.path }, timeoutMs);
}

test.each([
  ['running', 'running'],
  ['paused', 'paused'],
  ['prelaunch', 'starting'],
  ['suspended', 'suspended'],
  ['io-error', 'storage-failed'],
  ['watchdog', 'panicked'],
  ['shutdown', 'off'],
  ['guest-panicked', 'panicked'],
  ['internal-error', 'panicked'],
  ['inmigrate', 'migrating'],
  ['finish-migrate', 'migrating'],
  ['postmigrate', 'migrating'],
  ['colo', 'migrating'],
  ['preconfig', 'starting'],
  ['debug', 'debugging'],
  ['restore-vm', 'restoring'],
  ['save-vm', 'saving'],
  ['a word of QEMU 99', 'unknown'],
  ['toString', 'unknown'],
])('QMP says %s: the VM is %s', (word, power) => {
  expect(toPowerState(word)).toEqual({ power, detail: word });
});

test('a word that is not known yet does not stand in the way of a reset', () => {
  expect(objectionTo('reset', toPowerState('a word of QEMU 99'))).toBeNull();
});

test('a guest that is said to write its crash dump is seen doing so', async () => {
  fake.crashLoads = true;
  expect(await state()).toEqual({ ok: true, state: { power: 'dumping', detail: 'GUEST_CRASHLOADED' } });
});

test('a running VM is seen running, again and again, over one monitor', async () => {
  for (let look = 0; look < 5; look += 1) {
    expect(await state()).toEqual({ ok: true, state: { power: 'running', detail: 'running' } });
  }
});

test('looks at the same time take their turns instead of failing', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => state()));
  expect(answers.every((answer) => answer.ok)).toBe(true);
});

test('a lying monitor is believed: only the checks can contradict it', async () => {
  fake.vm.status = 'paused';
  fake.behave('says-running');
  expect(await state()).toMatchObject({ ok: true, state: { power: 'running' } });
});

test.each<[Mood, string]>([
  ['silent', 'busy'],
  ['garbage-greeting', 'garbage'],
  ['too-long-greeting', 'garbage'],
  ['drops-at-once', 'unreachable'],
])('a monitor that is %s answers %s', async (mood, reason) => {
  fake.mood = mood;
  expect(await state()).toMatchObject({ ok: false, reason });
});

test.each<[Misbehaviour, string]>([
  ['never-answers', 'slow'],
  ['drops-before-acting', 'unreachable'],
  ['answers-garbage', 'garbage'],
  ['answers-too-much', 'garbage'],
  ['refuses', 'refused'],
])('a monitor that %s answers %s', async (misbehaviour, reason) => {
  fake.behave(misbehaviour, 'query-status');
  expect(await state(2000)).toMatchObject({ ok: false, reason, message: expect.stringMatching(/\S/) });
});

test('a monitor held by somebody else is busy, and free again once they leave', async () => {
  const other = createConnection(fake.path);
  await new Promise((resolve) => other.once('data', resolve));
  expect(await state()).toMatchObject({ ok: false, reason: 'busy' });
  other.destroy();
  expect(await state()).toMatchObject({ ok: true });
});

test('a QEMU that has ended is unreachable, and seen again when it is back', async () => {
  await fake.close();
  expect(await state()).toMatchObject({ ok: false, reason: 'unreachable' });
  await fake.open();
  expect(await state()).toMatchObject({ ok: true });
});
