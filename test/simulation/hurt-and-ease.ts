import type { FakeSite } from '../scenarios/world/fake-site.ts';
import type { Fault } from './plan.ts';

/** A fault of one VM. */
type Ill = Extract<Fault, { vm: number }>;

/** Begins what a fault does to a VM or its hypervisor. @throws Error for a fault that is about neither */
export function hurt(site: FakeSite, fault: Ill): void {
  switch (fault.kind) {
    case 'hang':
      Object.assign(site, { hung: true, hangsSlowly: fault.slowly });
      return;
    case 'recover':
      site.hung = false;
      return;
    case 'power-state':
      site.power = fault.state;
      return;
    case 'storage':
      Object.assign(site, { storageBroken: true, power: 'storage-failed' });
      return;
    case 'resets-do-not-help':
      site.resetsHelp = false;
      return;
    case 'boots':
      site.bootMs = fault.ms;
      return;
    case 'flap':
      site.flapping = { well: fault.well, badly: fault.badly };
      return;
    case 'blind':
      site.fpingLost = true;
      return;
    case 'agent-dies':
      site.agentDied = true;
      return;
    case 'provider-away':
      site.away = true;
      return;
    case 'provider-slow':
      site.slowMs = fault.ms;
      return;
    case 'refuses':
      site.locked = true;
      return;
    case 'next-power':
      site.manner = fault.manner;
      return;
    default:
      throw new Error(`a simulated VM knows no ${fault.kind}`);
  }
}

/** Ends it; nothing where it does not last. */
export function ease(site: FakeSite, fault: Ill): void {
  switch (fault.kind) {
    case 'power-state':
      // somebody starts it, or what held it is over; unless Defib was quicker
      if (site.power === fault.state) site.boot();
      return;
    case 'storage':
      site.storageBroken = false;
      return;
    case 'resets-do-not-help':
      site.resetsHelp = true;
      return;
    case 'flap':
      site.flapping = null;
      return;
    case 'blind':
      site.fpingLost = false;
      return;
    case 'agent-dies':
      site.agentDied = false;
      return;
    case 'provider-away':
      site.away = false;
      return;
    case 'provider-slow':
      site.slowMs = 0;
      return;
    case 'refuses':
      site.locked = false;
      return;
    default:
  }
}
