import { createEgress } from '../../checks/egress.ts';
import { createProbes } from '../../checks/registry.ts';

/** Probes 127.0.0.1 once, and says when it begins and what it found. */
const [type = '', target = '', timeoutMs = '', fping = ''] = process.argv.slice(2);
const egress = createEgress({ allow: ['127.0.0.0/8:1-65535'], ownPorts: new Set(), ownHosts: [] });
const probe = createProbes({ egress, fping: { path: fping, gatherMs: 1 } }).get(type);
if (probe === undefined) throw new Error(`no check of type ${type}`);
const heartbeat = { lastHeartbeatAtMs: null, expectedSinceMs: 0, listening: [], staleAfterMs: 1 };
const address = '127.0.0.1';
const result = probe.probe({
  address,
  target,
  timeoutMs: Number(timeoutMs),
  options: {},
  reach: { byAdmin: true, tenantTargets: [] },
  nowMs: Date.now(),
  facts: { heartbeat },
});
console.log('begun');
console.log(JSON.stringify(await result));
