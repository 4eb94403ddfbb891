import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { findFleetCounts } from '../db/fleet/fleet-counts.ts';
import { findCount } from '../db/upkeep/counts.ts';
import { findStuckWorkflows } from '../db/upkeep/stuck-workflows.ts';
import { OPERATORS } from '../domain/roles.ts';
import type { ApiDependencies } from './dependencies.ts';
import { type Endpoint, endpoint } from './endpoint.ts';

export interface Prometheus {
  /** Times every request by its route, never by its path: ids would make a series each. */
  readonly timeRequests: RequestHandler;
  readonly endpoints: Endpoint[];
}

/** This process's own registry: its requests, its process, and the fleet at the time of the scrape. */
export function createPrometheus({ database, clock }: Pick<ApiDependencies, 'database' | 'clock'>): Prometheus {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'defib_' });
  const duration = new Histogram({
    name: 'defib_http_request_duration_seconds',
    help: 'How long requests took.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const vms = new Gauge({
    name: 'defib_vms',
    help: 'VMs of all tenants by health.',
    labelNames: ['status'],
    registers: [registry],
  });
  const unwatched = new Gauge({
    name: 'defib_vms_unwatched',
    help: 'VMs that nobody has looked at for three intervals and a timeout.',
    registers: [registry],
  });
  const cannotTell = new Gauge({
    name: 'defib_vms_cannot_tell',
    help: 'VMs that are looked at, but none of whose checks is conclusive.',
    registers: [registry],
  });
  const mended = new Gauge({
    name: 'defib_reconcile_mended',
    help: 'Differences between Postgres and Temporal that reconcile has repaired; 0 in a healthy system.',
    registers: [registry],
  });
  const letGo = new Counter({
    name: 'defib_results_let_go_total',
    help: 'Results of checks that workers let go because too many waited for Postgres; 0 in a healthy system.',
    registers: [registry],
  });
  const stuck = new Gauge({
    name: 'defib_workflows_stuck',
    help: 'Workflows that could not go on when reconcile last ran, because their tasks fail: docs/upgrading.md.',
    registers: [registry],
  });
  const reconciledAgo = new Gauge({
    name: 'defib_reconciled_seconds_ago',
    help: 'Since reconcile last ran; above three minutes, no worker runs workflows, or it fails. NaN before its first run.',
    registers: [registry],
  });

  const scrape = endpoint({
    id: 'readMetricsOfDefib',
    method: 'get',
    path: '/metrics',
    tag: 'Operation',
    summary: 'Prometheus metrics of Defib itself',
    roles: OPERATORS,
    answers: { 200: { description: 'Prometheus text', example: 'defib_vms{status="healthy"} 1\n' } },
  }).handle(async () => {
    const {
      unwatched: notWatched,
      cannotTell: inconclusive,
      ...byStatus
    } = await findFleetCounts(database.pool, null, clock());
    for (const [status, number] of Object.entries(byStatus)) vms.set({ status }, number);
    unwatched.set(notWatched);
    cannotTell.set(inconclusive);
    mended.set(await findCount(database.pool, 'reconcile.mended'));
    letGo.reset();
    letGo.inc(await findCount(database.pool, 'results.let-go'));
    const reconciled = await findStuckWorkflows(database.pool);
    stuck.set(reconciled?.ids.length ?? 0);
    reconciledAgo.set(reconciled === null ? Number.NaN : (clock() - reconciled.at.getTime()) / 1000);
    return { status: 200, body: await registry.metrics(), headers: { 'Content-Type': registry.contentType } };
  });

  const timeRequests: RequestHandler = (request, response, next) => {
    const stop = duration.startTimer({ method: request.method });
    response.on('finish', () => {
      const route = typeof response.locals.route === 'string' ? response.locals.route : 'other';
      stop({ route, status: response.statusCode });
    });
    next();
  };

  return { timeRequests, endpoints: [scrape] };
}
