import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Deadline, startDeadline } from '../../checks/deadline.ts';
import { createEgress, type Resolve } from '../../checks/egress.ts';
import type { EgressSettings } from '../../checks/egress-rules.ts';
import type { Reach } from '../../domain/reach.ts';
import { resolverOf } from './a-look.ts';

const NOTHING: EgressSettings = { allow: [], ownPorts: new Set() };

function egressWith(settings: Partial<EgressSettings>, resolve: Resolve, interfaces: string[] = []) {
  return createEgress({ ...NOTHING, ...settings }, { resolve, ownAddresses: () => interfaces });
}

/** On behalf of a USER's check of a VM at that address. */
const of = (vmAddress: string | null): Reach => ({ vmAddress, byAdmin: false, tenantTargets: [] });

function deadlineOf(timeoutMs = 10_000): Deadline {
  const deadline = startDeadline(timeoutMs);
  onTestFinished(() => deadline.end());
  return deadline;
}

describe('the egress rules, applied to names', () => {
  it('clears the first permitted address, in the form in which it was judged', async () => {
    const egress = egressWith({}, resolverOf({ 'vm.test': ['fe80::1', '127.0.0.1', '::ffff:10.0.0.5', '10.0.0.6'] }));
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toEqual({ ok: true, address: '10.0.0.5' });
  });

  it('says why the first was refused when none is permitted', async () => {
    const egress = egressWith({}, resolverOf({ 'vm.test': ['127.0.0.1', 'fe80::1'] }));
    const clearance = await egress.clear('vm.test', 80, of('vm.test'), deadlineOf());
    expect(clearance).toMatchObject({ ok: false, failure: { status: 'unknown', reason: 'target-refused' } });
    expect(clearance).toMatchObject({ failure: { message: expect.stringContaining('127.0.0.1') } });
  });

  it("compares addresses, not names: another name of the VM's address is the VM", async () => {
    const egress = egressWith(
      {},
      resolverOf({ 'vm.test': ['10.0.0.5'], 'www.test': ['10.0.0.5'], 'db.test': ['10.0.0.9'] }),
    );
    expect(await egress.clear('www.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: true });
    expect(await egress.clear('10.0.0.5', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: true });
    expect(await egress.clear('db.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: false });
    expect(await egress.clear('10.0.0.5', 80, of('gone.test'), deadlineOf())).toMatchObject({ ok: false });
    expect(await egress.clear('10.0.0.5', 80, of(null), deadlineOf())).toMatchObject({ ok: false });
  });

  it('never clears what its resolver did not name, and resolves a name once', async () => {
    const octets = fc.tuple(fc.constantFrom(10, 127, 169, 192), fc.constantFrom(0, 254), fc.nat(3), fc.nat(3));
    const address = octets.map((bytes) => bytes.join('.'));
    await fc.assert(
      fc.asyncProperty(fc.array(address, { maxLength: 5 }), fc.array(address, { maxLength: 2 }), async (found, own) => {
        let asked = 0;
        const resolve: Resolve = async (host) => {
          if (host === 'target.test') asked += 1;
          return host === 'target.test' ? found : own;
        };
        const deadline = startDeadline(10_000);
        const clearance = await egressWith({}, resolve).clear('target.test', 80, of('vm.test'), deadline);
        deadline.end();
        expect(asked).toBe(1);
        const permitted = found.find((ip) => own.includes(ip) && !/^(127|169\.254)\./.test(ip));
        expect(clearance.ok ? clearance.address : undefined).toBe(permitted);
      }),
    );
  });

  it('is not fooled by a name that answers differently the second time', async () => {
    const answers = [['10.0.0.5'], ['169.254.169.254']];
    const egress = egressWith({}, async () => answers.shift() ?? []);
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toEqual({ ok: true, address: '10.0.0.5' });
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: false });
  });

  it('shares a look-up between those who ask at the same time', async () => {
    let asked = 0;
    const egress = egressWith({}, async () => {
      asked += 1;
      return ['10.0.0.5'];
    });
    await Promise.all([1, 2, 3].map((port) => egress.clear('vm.test', port, of('vm.test'), deadlineOf())));
    expect(asked).toBe(1);
    await egress.clear('vm.test', 4, of('vm.test'), deadlineOf());
    expect(asked).toBe(2);
  });

  it("knows Defib's machines by name too", async () => {
    const settings = { ownPorts: new Set([5432]), ownHosts: ['postgres', '[fd12::2]'] };
    const egress = egressWith(settings, resolverOf({ postgres: ['10.0.0.2'], 'vm.test': ['10.0.0.2'] }), ['10.0.0.1']);
    expect(await egress.clear('vm.test', 5432, of('vm.test'), deadlineOf())).toMatchObject({ ok: false });
    expect(await egress.clear('fd12::2', 5432, of('fd12::2'), deadlineOf())).toMatchObject({ ok: false });
    expect(await egress.clear('10.0.0.1', 5432, of('10.0.0.1'), deadlineOf())).toMatchObject({ ok: false });
    for (const [host, port] of [
      ['vm.test', 5433],
      ['vm.test', null],
      ['10.0.0.1', 80],
      ['postgres', 80],
    ] as const) {
      expect(await egress.clear(host, port, of(host), deadlineOf()), host).toMatchObject({ ok: false });
    }
  });

  it("keeps the addresses of Defib's machines while their names can't be resolved", async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const names: Record<string, string[]> = { postgres: ['10.0.0.2'], 'vm.test': ['10.0.0.2'] };
    const egress = egressWith({ refuse: ['postgres'] }, (host) => resolverOf(names)(host));
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: false });
    delete names['postgres'];
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(10_000);
      expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: false });
      await new Promise(setImmediate);
    }
    names['postgres'] = ['10.0.0.3'];
    vi.advanceTimersByTime(601_000);
    await egress.clear('vm.test', 80, of('vm.test'), deadlineOf());
    await new Promise(setImmediate);
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toMatchObject({ ok: true });
  });

  it("knows all addresses of Defib's machines where their names give them in turn", async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const addresses = ['10.0.0.2', '10.0.0.3', '10.0.0.4'];
    let asked = 0;
    const egress = egressWith({ refuse: ['postgres'] }, async () => [addresses[asked++ % 3]!]);
    for (let i = 0; i < 6; i++) {
      for (const told of addresses.slice(0, i + 1)) {
        expect(await egress.clear(told, 80, of(told), deadlineOf()), `${told}, ${i}`).toMatchObject({ ok: false });
      }
      vi.advanceTimersByTime(10_000);
      await egress.clear('10.0.0.9', 80, of('10.0.0.9'), deadlineOf());
      await new Promise(setImmediate);
    }
  });

  it('lets a name lead to this machine for nobody, whoever set the check', async () => {
    const names = resolverOf({ 'vm.test': ['127.0.0.1'] });
    const egress = egressWith({ adminsReachThisMachine: true }, names);
    const byAdmin = (host: string) => ({ ...of(host), byAdmin: true });
    expect(await egress.clear('vm.test', 80, byAdmin('vm.test'), deadlineOf())).toMatchObject({ ok: false });
    for (const host of ['127.0.0.1', '::1']) {
      expect(await egress.clear(host, 80, byAdmin(host), deadlineOf())).toEqual({ ok: true, address: host });
      expect(await egress.clear(host, 80, of(host), deadlineOf())).toMatchObject({ ok: false });
    }
  });

  it('clears nothing that is no address, whatever a resolver says', async () => {
    const egress = egressWith(
      { allow: ['0.0.0.0/0'] },
      resolverOf({ 'vm.test': ['', 'localhost', '127.1', '10.0.0.5'] }),
    );
    expect(await egress.clear('vm.test', 80, of('vm.test'), deadlineOf())).toEqual({ ok: true, address: '10.0.0.5' });
  });

  it('notices an address that this machine gets later', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const interfaces = ['10.0.0.1'];
    const egress = createEgress(NOTHING, { resolve: resolverOf({}), ownAddresses: () => [...interfaces] });
    const clear = () => egress.clear('10.0.0.2', 80, of('10.0.0.2'), deadlineOf());
    expect(await clear()).toMatchObject({ ok: true });
    interfaces.push('10.0.0.2');
    vi.advanceTimersByTime(10_000);
    expect(await clear()).toMatchObject({ ok: false });
  });

  it('asks what the tenant may reach', async () => {
    const egress = egressWith({}, resolverOf({ 'vm.test': ['10.20.0.5', '10.30.0.5'] }));
    const given = { ...of('vm.test'), tenantTargets: ['10.30.0.0/16'] };
    expect(await egress.clear('vm.test', 80, given, deadlineOf())).toEqual({ ok: true, address: '10.30.0.5' });
  });

  it.each([
    ['ENOTFOUND', 'unhealthy', 'name-not-found'],
    ['ENODATA', 'unhealthy', 'name-not-found'],
    ['EAI_AGAIN', 'unknown', 'resolver-unavailable'],
    ['EAI_FAIL', 'unknown', 'resolver-unavailable'],
  ])('tells a name that is gone from a resolver that is: %s is %s', async (code, status, reason) => {
    const egress = egressWith({}, () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code })));
    const clearance = await egress.clear('vm.test', 80, of('vm.test'), deadlineOf());
    expect(clearance).toMatchObject({
      ok: false,
      failure: { status, reason, message: expect.stringContaining('vm.test') },
    });
  });

  it('refuses to be made with an allow list that it cannot read', () => {
    expect(() => egressWith({ allow: ['everything'] }, resolverOf({}))).toThrow('CHECK_TARGETS_ALLOW');
  });
});
