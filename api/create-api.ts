import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Role } from './caller.ts';
import type { ApiDependencies } from './dependencies.ts';
import { serveDocs } from './docs-page.ts';
import { mountOperations } from './mount.ts';
import { describeOperations } from './openapi.ts';
import { type Operation, ok, operation } from './operation.ts';
import { answerNotFound, answerProblems } from './problems.ts';
import { createPrometheus } from './prometheus.ts';
import { createRateLimits } from './rate-limits.ts';
import { createRequestLog } from './request-log.ts';
import { healOperations } from './resources/heals.ts';
import { healthOperations } from './resources/health.ts';
import { healthConfigOperations } from './resources/health-config.ts';
import { metricsOperations } from './resources/metrics.ts';
import { policyOperations } from './resources/policies.ts';
import { reportOperations } from './resources/reports.ts';
import { statusOperations } from './resources/status.ts';
import { tenantOperations } from './resources/tenants.ts';
import { tokenOperations } from './resources/tokens.ts';
import { vmRegistration } from './resources/vm-registration.ts';
import { vmOperations } from './resources/vms.ts';
import { watchingOperations } from './resources/watching.ts';
import { serveHealth } from './service-health.ts';

export interface Api {
  app: Express;
  /** Every endpoint that needs a token. */
  operations: readonly Operation[];
}

const EVERYONE: readonly Role[] = ['USER', 'ADMIN', 'OPERATOR', 'AGENT'];

/** The API, not listening yet: see `startApi`. It holds no timers. */
export function createApi(deps: ApiDependencies): Api {
  const limits = createRateLimits(deps.settings);
  const prometheus = createPrometheus(deps);
  const operations: Operation[] = [
    vmRegistration(deps),
    ...vmOperations(deps),
    ...ofPods(deps, '/api/vms', ''),
    ...ofPods(deps, '/api/cloud-pods', 'OfPod'),
    ...metricsOperations(deps),
    ...reportOperations(deps),
    ...statusOperations(deps),
    ...tokenOperations(deps),
    ...tenantOperations(deps),
    ...prometheus.operations,
  ];
  operations.push(openApiOperation(operations));

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(createRequestLog(deps.logger));
  app.use(prometheus.timeRequests);
  // without `upgrade-insecure-requests`: the API itself speaks plain HTTP, TLS is the proxy's before it
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.get('/health', serveHealth(deps));
  app.use(async (request, _response, next) => {
    await limits.countAddress(request.ip ?? 'unknown');
    next();
  });
  app.use('/docs', serveDocs());
  app.use(express.json({ limit: '1mb', strict: false }));
  mountOperations(app, operations, deps, limits);
  app.use(answerNotFound);
  app.use(answerProblems(deps.logger));
  return { app, operations };
}

/** Spec C's endpoints, the same under both prefixes. */
function ofPods(deps: ApiDependencies, prefix: string, suffix: string): Operation[] {
  return [
    ...healthOperations(deps, prefix, suffix),
    ...healthConfigOperations(deps, prefix, suffix),
    ...policyOperations(deps, prefix, suffix),
    ...healOperations(deps, prefix, suffix),
    ...watchingOperations(deps, prefix, suffix),
  ];
}

function openApiOperation(operations: readonly Operation[]): Operation {
  let document: object | null = null;
  return operation({
    id: 'readOpenApi',
    method: 'get',
    path: '/openapi.json',
    tag: 'Operation',
    summary: 'This document',
    roles: EVERYONE,
    answers: { 200: { description: 'OpenAPI 3.1' } },
    handle: async () => {
      document ??= describeOperations(operations);
      return ok(document);
    },
  });
}
