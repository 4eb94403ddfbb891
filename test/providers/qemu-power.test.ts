import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PowerAction } from '../../domain/power.ts';
import { until } from '../../local/until.ts';
import type { PreparedAction } from '../../providers/provider.ts';
import { createQemuProvider } from '../../providers/qemu/qemu-provider.ts';
import { FakeQmp, type Misbehaviour, type Mood } from '../support/fake-qmp.ts';
import type { RunState } from '../support/fake-qmp-vm.ts';
import { sendNow } from '../support/send-now.ts';

const GENEROUS_MS = 10_000;
/** The limit of calls that are never answered; long enough for a busy machine to send. */
const SHORT_MS = 2000;

let fake: FakeQmp;

beforeEach(async () => {
  fake = await FakeQmp.start();
});

afterEach(() => fake.remove());

const provider = () => createQemuProvider({ qmpSocketDirs: [fake.dir] });
const reference = () => ({ kind: 'qemu', qmpSocket: fake.path });

const power = (action: PowerAction, timeoutMs = GENEROUS_MS) => sendNow(provider(), reference(), action, timeoutMs);

describe('a reset', () => {
  test('brings a hung VM back with one system_reset and no cont', async () => {
    fake.vm.hung = true;
    expect(await power('reset')).toEqual({ outcome: 'done', detail: 'system_reset: announced, running' });
    expect(fake.vm.serves()).toBe(true);
    expect([fake.received('system_reset'), fake.received('cont')]).toEqual([1, 0]);
  });

  test.each<RunState>(['paused', 'prelaunch', 'io-error', 'guest-panicked', 'internal-error', 'shutdown', 'watchdog'])(
    'of a VM that is %s is followed by cont, so that it runs',
    async (status) => {
      fake.vm.status = status;
      expect(await power('reset')).toMatchObject({ outcome: 'done', detail: expect.stringContaining('cont: running') });
      expect(fake.vm.serves()).toBe(true);
      expect([fake.received('system_reset'), fake.received('cont')]).toEqual([1, 1]);
    },
  );

  test('waits until QEMU has really reset before it says cont', async () => {
    fake.vm.status = 'internal-error';
    fake.vm.resetsLate = true;
    expect(await power('reset')).toMatchObject({ outcome: 'done' });
    expect(fake.vm.serves()).toBe(true);
  });

  test('is understood among events and byte by byte', async () => {
    fake.vm.status = 'paused';
    fake.noisy = true;
    fake.dribbles = true;
    expect(await power('reset')).toMatchObject({ outcome: 'done' });
    expect(fake.vm.resets).toBe(1);
  });

  test.each<RunState>(['postmigrate'])('is not sent to a VM that is %s: it may run elsewhere', async (status) => {
    fake.vm.status = status;
    expect(await power('reset')).toMatchObject({ outcome: 'not-sent', reason: 'refused' });
    expect(fake.received('system_reset')).toBe(0);
  });

  test('that QEMU refuses in words is not sent: nothing happened', async () => {
    fake.behave('refuses');
    expect(await power('reset')).toMatchObject({ outcome: 'not-sent', reason: 'refused' });
    expect([fake.received('system_reset'), fake.vm.resets]).toEqual([1, 0]);
  });
});

describe('before anything was sent', () => {
  test.each<[Mood, string]>([
    ['silent', 'busy'],
    ['garbage-greeting', 'garbage'],
    ['too-long-greeting', 'garbage'],
    ['drops-at-once', 'unreachable'],
  ])('a monitor that is %s means not-sent (%s)', async (mood, reason) => {
    fake.mood = mood;
    expect(await power('reset')).toMatchObject({ outcome: 'not-sent', reason });
    expect(fake.received('system_reset')).toBe(0);
  });

  test.each<[Misbehaviour, string]>([
    ['never-answers', 'slow'],
    ['drops-before-acting', 'unreachable'],
    ['answers-garbage', 'garbage'],
    ['answers-too-much', 'garbage'],
    ['answers-another-command', 'garbage'],
    ['says-ok-does-nothing', 'garbage'],
    ['refuses', 'refused'],
  ])('query-status that %s means not-sent (%s)', async (misbehaviour, reason) => {
    fake.behave(misbehaviour, 'query-status');
    expect(await power('reset', SHORT_MS)).toMatchObject({ outcome: 'not-sent', reason });
    expect(fake.received('system_reset')).toBe(0);
  });

  test('a QEMU that has ended means not-sent (unreachable)', async () => {
    await fake.close();
    expect(await power('reset')).toMatchObject({ outcome: 'not-sent', reason: 'unreachable' });
  });

  test('a call without time left sends nothing', async () => {
    expect(await power('reset', 0)).toMatchObject({ outcome: 'not-sent' });
    expect(fake.received('system_reset')).toBe(0);
  });
});

describe('once the command was sent', () => {
  test.each<[Misbehaviour, number]>([
    ['never-answers', 0],
    ['drops-before-acting', 0],
    ['drops-after-acting', 1],
    ['answers-garbage', 0],
    ['answers-garbage-after-acting', 1],
    ['answers-too-much', 0],
    ['answers-another-command', 0],
    ['says-ok-does-nothing', 0],
  ])('a monitor that %s leaves doubt, and is never sent a second reset', async (misbehaviour, resets) => {
    fake.behave(misbehaviour);
    expect(await power('reset', SHORT_MS)).toMatchObject({ outcome: 'in-doubt' });
    expect([fake.received('system_reset'), fake.vm.resets]).toEqual([1, resets]);
  });

  test.each<Misbehaviour>(['never-answers', 'drops-before-acting', 'answers-garbage', 'refuses'])(
    'a reset whose cont %s is in doubt, says that the VM was reset, and is not repeated',
    async (misbehaviour) => {
      fake.vm.status = 'paused';
      fake.behave(misbehaviour, 'cont');
      const outcome = await power('reset', SHORT_MS);
      expect(outcome).toMatchObject({ outcome: 'in-doubt', message: expect.stringContaining('The VM was reset, but') });
      expect([fake.received('system_reset'), fake.received('cont'), fake.vm.resets]).toEqual([1, 1, 1]);
    },
  );

  test.each<PowerAction>(['stop', 'start', 'shutdown'])('%s is in doubt when the connection drops', async (action) => {
    fake.behave('drops-after-acting');
    expect(await power(action)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('the other actions', () => {
  test('stop freezes the CPUs, start lets them run on, and neither resets', async () => {
    expect(await power('stop')).toMatchObject({ outcome: 'done' });
    expect(fake.vm.status).toBe('paused');
    expect(await power('start')).toMatchObject({ outcome: 'done' });
    expect(fake.vm.serves()).toBe(true);
    expect(fake.vm.resets).toBe(0);
  });

  test('shutdown presses the power button', async () => {
    expect(await power('shutdown')).toMatchObject({ outcome: 'done' });
    expect(fake.received('system_powerdown')).toBe(1);
  });

  test.each<[PowerAction, RunState]>([
    ['shutdown', 'paused'],
    ['start', 'guest-panicked'],
    ['stop', 'postmigrate'],
    ['resume', 'shutdown'],
    ['resume', 'running'],
  ])('%s of a VM that is %s is refused with what to do instead', async (action, status) => {
    fake.vm.status = status;
    expect(await power(action)).toMatchObject({ outcome: 'not-sent', reason: 'refused' });
    expect(fake.vm.status).toBe(status);
  });

  test('reboot is unsupported without somebody inside the guest', async () => {
    expect(await power('reboot')).toMatchObject({ outcome: 'not-sent', reason: 'unsupported' });
    expect(fake.commands).toEqual([]);
  });
});

describe('a paused VM', () => {
  test.each<RunState>(['paused', 'io-error'])('that is %s is resumed by cont, without a reset', async (status) => {
    fake.vm.status = status;
    expect(await power('resume')).toMatchObject({ outcome: 'done' });
    expect([fake.vm.serves(), fake.received('cont'), fake.vm.resets]).toEqual([true, 1, 0]);
  });

  test('that was shut down is started by a reset and cont', async () => {
    fake.vm.status = 'shutdown';
    expect(await power('start')).toMatchObject({ outcome: 'done' });
    expect([fake.vm.serves(), fake.vm.resets]).toEqual([true, 1]);
  });
});

describe('a prepared action', () => {
  async function prepared(action: PowerAction): Promise<PreparedAction> {
    const answer = await provider().prepare(reference(), action, GENEROUS_MS);
    if (!answer.ok) throw new Error(answer.message);
    return answer.prepared;
  }

  test('has sent nothing, and knows the state of the VM', async () => {
    fake.vm.status = 'guest-panicked';
    const action = await prepared('reset');
    expect(action.state).toEqual({ power: 'panicked', detail: 'guest-panicked' });
    expect(fake.received('system_reset')).toBe(0);
    action.release();
  });

  test('sends nothing once it is released', async () => {
    const action = await prepared('reset');
    action.release();
    expect(await action.send(GENEROUS_MS)).toMatchObject({ outcome: 'not-sent' });
    expect(fake.received('system_reset')).toBe(0);
  });

  test('is given up when it is held for too long, so that others reach the monitor', async () => {
    const action = await prepared('reset');
    await until(async () => (await provider().state(reference(), GENEROUS_MS)).ok);
    expect(await action.send(GENEROUS_MS)).toMatchObject({ outcome: 'not-sent' });
    expect(fake.received('system_reset')).toBe(0);
  });

  test('keeps others out of the monitor meanwhile', async () => {
    const action = await prepared('reset');
    expect(await provider().state(reference(), 500)).toMatchObject({ ok: false, reason: 'busy' });
    action.release();
  });
});

describe('an action in doubt is read back', () => {
  test.each<[PowerAction, RunState, string]>([
    ['stop', 'paused', 'acted'],
    ['stop', 'running', 'not-acted'],
    ['stop', 'guest-panicked', 'cannot-tell'],
    ['start', 'running', 'acted'],
    ['start', 'shutdown', 'not-acted'],
    ['resume', 'running', 'acted'],
    ['resume', 'paused', 'not-acted'],
    ['shutdown', 'shutdown', 'acted'],
    ['shutdown', 'running', 'cannot-tell'],
    ['reset', 'running', 'cannot-tell'],
    ['reset', 'prelaunch', 'cannot-tell'],
  ])('%s of a VM that is %s: %s', async (action, status, verdict) => {
    fake.vm.status = status;
    expect(await provider().readBack(reference(), action, GENEROUS_MS)).toMatchObject({ verdict });
  });

  test.each<[PowerAction, RunState, Misbehaviour, string]>([
    ['stop', 'running', 'drops-before-acting', 'not-acted'],
    ['stop', 'running', 'drops-after-acting', 'acted'],
    ['resume', 'paused', 'drops-before-acting', 'not-acted'],
    ['resume', 'paused', 'drops-after-acting', 'acted'],
    ['start', 'paused', 'drops-before-acting', 'not-acted'],
    // it may have been shut down before, and have been reset
    ['start', 'prelaunch', 'drops-before-acting', 'cannot-tell'],
  ])('%s of a VM that was %s, at a monitor that %s: %s', async (action, status, misbehaviour, verdict) => {
    fake.vm.status = status;
    fake.behave(misbehaviour);
    expect(await power(action)).toMatchObject({ outcome: 'in-doubt' });
    expect(await provider().readBack(reference(), action, GENEROUS_MS)).toMatchObject({ verdict });
  });

  test('and is not called undone when it was half done: a VM that was shut down, and was reset to be started', async () => {
    fake.vm.status = 'shutdown';
    fake.behave('drops-before-acting', 'cont');
    expect(await power('start')).toMatchObject({ outcome: 'in-doubt' });
    expect(fake.vm.resets).toBe(1);
    expect(await provider().readBack(reference(), 'start', GENEROUS_MS)).toMatchObject({ verdict: 'cannot-tell' });
  });

  test('and can not tell when nobody answers', async () => {
    await fake.close();
    expect(await provider().readBack(reference(), 'stop', SHORT_MS)).toMatchObject({ verdict: 'cannot-tell' });
  });
});
