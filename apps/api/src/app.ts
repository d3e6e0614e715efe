import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { App, Deps } from './context.ts';
import { registerAuth } from './http/auth.ts';
import { registerBodies } from './http/bodies.ts';
import { registerConventions } from './http/conventions.ts';
import { registerErrors } from './http/errors.ts';
import { registerIndentation } from './http/indentation.ts';
import { registerOpenApi } from './http/openapi.ts';
import { registerRateLimit } from './http/rate-limit.ts';
import { registerReference } from './http/reference.ts';
import { registerRequestLog } from './http/request-log.ts';
import { IGNORED_IN_UPDATES } from './http/schemas.ts';
import { buildSerializer } from './http/serialization.ts';
import { registerTracing } from './http/tracing.ts';
import { buildValidator } from './http/validation.ts';
import { registerAccountRoutes } from './resources/accounts/routes.ts';
import { registerAuditLogRoutes } from './resources/audit-log/routes.ts';
import { registerCatalogRoutes } from './resources/catalog/routes.ts';
import { registerConsoleRoutes } from './resources/console/routes.ts';
import { registerCredentialRoutes } from './resources/credentials/routes.ts';
import { registerDeadJobRoutes } from './resources/dead-jobs/routes.ts';
import { registerDestinationRoutes } from './resources/destinations/routes.ts';
import { registerErasureRoutes } from './resources/erasures/routes.ts';
import { registerErrorReferenceRoutes } from './resources/error-reference/routes.ts';
import { registerEstimateRoutes } from './resources/estimates/routes.ts';
import { registerFailedUnitRoutes } from './resources/failed-units/routes.ts';
import { registerHealthRoutes } from './resources/health/routes.ts';
import { registerHelpRoutes } from './resources/help/routes.ts';
import { registerMcpRoutes } from './resources/mcp/routes.ts';
import { registerObjectRoutes } from './resources/objects/routes.ts';
import { registerPipelineActivityRoutes } from './resources/pipelines/activity-routes.ts';
import { registerPipelineRoutes } from './resources/pipelines/routes.ts';
import { registerPlanRoutes } from './resources/plans/routes.ts';
import { registerQueryRoutes } from './resources/queries/routes.ts';
import { registerRefreshRoutes } from './resources/refreshes/routes.ts';
import { registerRejectedRecordRoutes } from './resources/rejected-records/routes.ts';
import { registerReportRoutes } from './resources/reports/routes.ts';
import { registerRunEventRoutes } from './resources/runs/events.ts';
import { registerRunRoutes } from './resources/runs/routes.ts';
import { registerSignInRoutes } from './resources/sign-ins/routes.ts';
import { registerSystemRoutes } from './resources/system/routes.ts';
import { registerTableRoutes } from './resources/tables/routes.ts';
import { registerTokenRoutes } from './resources/tokens/routes.ts';
import { registerUsageRoutes } from './resources/usage/routes.ts';
import { registerWebhookRoutes } from './resources/webhooks/routes.ts';
import { WarehouseReader } from './warehouse-reads/reader.ts';

/**
 * The size limit of bodies. The largest valid body, a pipeline with settings for each object, is
 * far smaller.
 */
const BODY_BYTES_MAX = 1024 * 1024;
const VALIDATOR_OPTIONS = {
  removeAdditional: false,
  discriminator: true,
  useDefaults: true,
  coerceTypes: true,
  keywords: [IGNORED_IN_UPDATES],
  // A test validates the schemas. Validating them here would delay the first request.
  validateSchema: false,
};

/**
 * Builds the API server. Plugins are registered first, because they apply only to routes that are
 * registered after them.
 */
export async function buildApp(deps: Deps): Promise<App> {
  const app = createServer(deps);
  registerTracing(app);
  registerErrors(app);
  registerRequestLog(app, deps.metrics);
  registerAuth(app, deps.store);
  await registerRateLimit(app, deps.requestsPerMinute);
  registerBodies(app);
  registerIndentation(app);
  registerConventions(app, deps.store);
  await registerOpenApi(app);
  await registerReference(app);
  registerHealthRoutes(app, deps);
  registerConsoleRoutes(app);
  registerErrorReferenceRoutes(app);
  registerHelpRoutes(app, deps.help);
  registerCredentialRoutes(app, deps);
  registerDestinationRoutes(app, deps);
  registerPipelineRoutes(app, deps);
  registerPipelineActivityRoutes(app, deps);
  registerPlanRoutes(app, deps);
  registerEstimateRoutes(app, deps);
  registerCatalogRoutes(app);
  registerObjectRoutes(app, deps);
  registerRefreshRoutes(app, deps);
  registerRunRoutes(app, deps);
  registerRunEventRoutes(app, deps);
  registerRejectedRecordRoutes(app, deps);
  registerFailedUnitRoutes(app, deps);
  registerErasureRoutes(app, deps);
  registerWarehouseRoutes(app, deps);
  registerMcpRoutes(app);
  registerAccountRoutes(app, deps);
  registerUsageRoutes(app, deps);
  registerWebhookRoutes(app, deps);
  registerSystemRoutes(app, deps);
  registerDeadJobRoutes(app, deps);
  registerTokenRoutes(app, deps);
  registerSignInRoutes(app, deps);
  registerAuditLogRoutes(app, deps);
  await app.ready();
  return app;
}

function createServer(deps: Deps): App {
  const app: App = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : { logger: false }),
    // `registerRequestLog` logs one line per request instead of Fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: deps.trustedProxies || false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // The limit exceeds the longest parameter that a schema accepts. A parameter that is too long
    // therefore returns 400 with a message instead of 404.
    routerOptions: { maxParamLength: 16_384 },
    ajv: { customOptions: VALIDATOR_OPTIONS },
    schemaController: { compilersFactory: { buildSerializer, buildValidator } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    // Responses depend on the token, and can change at any time.
    if (request.routeOptions.config.permission !== undefined && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
    done();
  });
  return app;
}

/** Registers the routes that read warehouses. They share one reader, and therefore its limits. */
function registerWarehouseRoutes(app: App, deps: Deps): void {
  const reader = new WarehouseReader(deps);
  registerTableRoutes(app, deps, reader);
  registerReportRoutes(app, deps, reader);
  registerQueryRoutes(app, deps, reader);
}
