import express, { type Express } from 'express';
import helmet from 'helmet';
import type { ApiDependencies } from './dependencies.ts';
import { serveDocs } from './docs-page.ts';
import { asTwinsOf, type Endpoint } from './endpoint.ts';
import { mountEndpoints } from './mount.ts';
import { describeEndpoints, type OpenApiDocument, openApiEndpoint } from './openapi.ts';
import { answerOtherMethods } from './other-methods.ts';
import { limitPipelined } from './pipelined-requests.ts';
import { answerNotFound, answerProblems } from './problems.ts';
import { createPrometheus } from './prometheus.ts';
import { createRateLimits } from './rate-limits.ts';
import { createRequestLog } from './request-log.ts';
import { auditEndpoints } from './resources/audit.ts';
import { healEndpoints } from './resources/heals.ts';
import { healthEndpoints } from './resources/health.ts';
import { healthConfigEndpoints } from './resources/health-config.ts';
import { incidentEndpoints, tenantIncidentEndpoints } from './resources/incidents.ts';
import { measurementEndpoints } from './resources/measurements.ts';
import { noticeEndpoints } from './resources/notices.ts';
import { policyEndpoints } from './resources/policies.ts';
import { providerEndpoints } from './resources/providers.ts';
import { reportEndpoints } from './resources/reports.ts';
import { statusEndpoints } from './resources/status.ts';
import { tenantEndpoints } from './resources/tenants.ts';
import { tokenEndpoints } from './resources/tokens.ts';
import { vmRegistration } from './resources/vm-registration.ts';
import { vmEndpoints } from './resources/vms.ts';
import { watchingEndpoints } from './resources/watching.ts';
import { serveHealth, serviceHealth } from './service-health.ts';
import { addressOf, createSignIn } from './sign-in.ts';
import { endUnreadBodies } from './unread-bodies.ts';

export interface Api {
  app: Express;
  /** Every endpoint that needs a token. */
  endpoints: readonly Endpoint[];
  /** The OpenAPI document of all of it. */
  describe(): OpenApiDocument;
}

/** What is served without a token. */
const WITHOUT_TOKEN = [serviceHealth, { method: 'get', path: '/docs' }];

/** The API, not listening yet: see `startApi`. It holds no timers. */
export function createApi(deps: ApiDependencies): Api {
  const limits = createRateLimits(deps.database, deps.settings);
  const prometheus = createPrometheus(deps);
  const ofVms = ofPods(deps, '/api/vms', '');
  const endpoints: Endpoint[] = [
    vmRegistration(deps),
    ...vmEndpoints(deps),
    ...ofVms,
    ...asTwinsOf(ofPods(deps, '/api/cloud-pods', 'OfPod'), ofVms),
    ...measurementEndpoints(deps),
    ...reportEndpoints(deps),
    ...tenantIncidentEndpoints(deps),
    ...auditEndpoints(deps),
    ...noticeEndpoints(deps),
    ...providerEndpoints(deps),
    ...statusEndpoints(deps),
    ...tokenEndpoints(deps),
    ...tenantEndpoints(deps),
    ...prometheus.endpoints,
  ];
  const describe = () => describeEndpoints(endpoints, [serviceHealth]);
  endpoints.push(openApiEndpoint(describe));

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('trust proxy', deps.settings.TRUSTED_PROXIES);
  app.use(limitPipelined());
  app.use(endUnreadBodies);
  app.use(createRequestLog(deps.logger));
  app.use(prometheus.timeRequests);
  // without `upgrade-insecure-requests`: the API itself speaks plain HTTP, TLS is the proxy's before it
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.get(serviceHealth.path, serveHealth(deps));
  app.use(async (request, _response, next) => {
    await limits.countAddress(addressOf(request));
    next();
  });
  app.use('/docs', serveDocs());
  mountEndpoints(app, endpoints, deps, createSignIn(deps.database, limits));
  answerOtherMethods(app, [...endpoints, ...WITHOUT_TOKEN]);
  app.use(answerNotFound);
  app.use(answerProblems(deps.logger));
  return { app, endpoints, describe };
}

/** Clients of a hosting panel call these under `/api/cloud-pods`, new ones under `/api/vms`. */
function ofPods(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  return [
    ...healthEndpoints(deps, prefix, suffix),
    ...healthConfigEndpoints(deps, prefix, suffix),
    ...policyEndpoints(deps, prefix, suffix),
    ...healEndpoints(deps, prefix, suffix),
    ...incidentEndpoints(deps, prefix, suffix),
    ...watchingEndpoints(deps, prefix, suffix),
  ];
}
