import { describe, expect, it } from 'vitest';
import { egressSettings } from '../../workers/egress-settings.ts';
import { settingsOf } from '../support/settings.ts';

const CONNECTIONS = {
  databaseUrl: 'postgres://defib@db.example/defib',
  temporalAddress: 'temporal.example:17233',
  namespace: 'default',
};
const of = (environment: Record<string, string> = {}, more = {}) =>
  egressSettings(settingsOf(environment), { ...CONNECTIONS, ...more });

describe('where checks may not connect', () => {
  it('are the ports of all parts, by their settings and their addresses, and those that open later', () => {
    const ownPorts = new Set([20_001]);
    const ports = { PORT: '20002', TEMPORAL_PORT: '20003', TEMPORAL_UI_PORT: '20004', POSTGRES_PORT: '20005' };
    const settings = of(ports, { ownPorts });
    for (const port of [20_001, 20_002, 20_003, 20_004, 20_005, 5_432, 17_233]) {
      expect(settings.ownPorts.has(port), String(port)).toBe(true);
    }
    expect(settings.ownPorts.has(20_006)).toBe(false);
    ownPorts.add(20_006);
    expect(settings.ownPorts.has(20_006)).toBe(true);
  });

  it('are the machines of Postgres and Temporal, and those that CHECK_TARGETS_REFUSE names', () => {
    const settings = of({ CHECK_TARGETS_REFUSE: 'grafana, 192.0.2.0/28' });
    expect(settings.ownHosts).toEqual(['db.example', 'temporal.example']);
    expect(settings.refuse).toEqual(['grafana', '192.0.2.0/28']);
  });

  it('is this machine, except for administrators where all of Defib is on it and nothing says what they may reach', () => {
    const reach = (environment: Record<string, string>, allOnThisMachine?: boolean) =>
      of(environment, { allOnThisMachine }).adminsReachThisMachine;
    expect(reach({}, true)).toBe(true);
    expect(reach({ CHECK_TARGETS_ALLOW: '192.0.2.0/24' }, true)).toBe(false);
    expect(reach({}, false)).toBe(false);
    expect(reach({})).toBe(false);
  });
});
