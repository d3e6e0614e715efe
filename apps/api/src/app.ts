import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ControlStore } from '@freshet/control-store';
import type { Metrics, Outbound } from '@freshet/runtime';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import { registerAuth } from './http/auth.ts';
import { registerBodies } from './http/bodies.ts';
import { registerConventions } from './http/conventions.ts';
import { registerErrors } from './http/errors.ts';
import { registerIndentation } from './http/indentation.ts';
import { registerOpenApi } from './http/openapi.ts';
import { registerRateLimit } from './http/rate-limit.ts';
import { registerRequestLog } from './http/request-log.ts';
import { registerTracing } from './http/tracing.ts';
import { buildValidator } from './http/validation.ts';
import { accountRoutes } from './resources/accounts/routes.ts';
import { auditLogRoutes } from './resources/audit-log/routes.ts';
import { consoleRoutes } from './resources/console/routes.ts';
import { credentialRoutes } from './resources/credentials/routes.ts';
import { destinationRoutes } from './resources/destinations/routes.ts';
import { erasureRoutes } from './resources/erasures/routes.ts';
import { estimateRoutes } from './resources/estimates/routes.ts';
import { failedUnitRoutes } from './resources/failed-units/routes.ts';
import { healthRoutes } from './resources/health/routes.ts';
import { objectRoutes } from './resources/objects/routes.ts';
import { pipelineRoutes } from './resources/pipelines/routes.ts';
import { planRoutes } from './resources/plans/routes.ts';
import { refreshRoutes } from './resources/refreshes/routes.ts';
import { rejectedRecordRoutes } from './resources/rejected-records/routes.ts';
import { runEventRoutes } from './resources/runs/events.ts';
import { runRoutes } from './resources/runs/routes.ts';
import { systemRoutes } from './resources/system/routes.ts';
import { tokenRoutes } from './resources/tokens/routes.ts';
import { usageRoutes } from './resources/usage/routes.ts';
import { webhookRoutes } from './resources/webhooks/routes.ts';

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** How often pipelines may run, and do where nothing is said; in minutes. */
export interface Frequency {
  readonly min: number;
  readonly default: number;
}

export interface Deps {
  readonly store: ControlStore;
  /** Replaces the accounts' own hosts; null: it does not. */
  readonly originTemplate: string | null;
  readonly isDraining: () => boolean;
  /** Where this deployment may connect to. */
  readonly reach: Outbound;
  /** That a token may send to this process. */
  readonly requestsPerMinute: number;
  /** Absent: as usual. */
  readonly frequency?: Frequency;
  /** This process' numbers. */
  readonly metrics: Metrics;
  /** Addresses and ranges whose `X-Forwarded-For` is believed, comma-separated; empty: nobody's. */
  readonly trustedProxies?: string;
  readonly logger?: FastifyBaseLogger;
}

/** Requests are small: the largest is a pipeline with a choice for each object. */
const BODY_BYTES_MAX = 1024 * 1024;

/** The control plane: plugins, then routes, as one visible list. */
export async function buildApp(deps: Deps): Promise<App> {
  const app: App = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : { logger: false }),
    // One line of our own for each request, instead of two.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: deps.trustedProxies || false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Longer ones are refused by their schemas, in words.
    routerOptions: { maxParamLength: 16_384 },
    ajv: { customOptions: { removeAdditional: false, discriminator: true, useDefaults: true, coerceTypes: true } },
    schemaController: { compilersFactory: { buildValidator } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    // Answers are for whoever asked, and for now.
    reply.header('x-content-type-options', 'nosniff');
    if (request.routeOptions.config.permission !== undefined && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
  });
  registerTracing(app);
  registerErrors(app);
  registerRequestLog(app, deps.metrics);
  registerAuth(app, deps.store);
  await registerRateLimit(app, deps.requestsPerMinute);
  registerBodies(app);
  registerIndentation(app);
  registerConventions(app, deps.store);
  await registerOpenApi(app);
  healthRoutes(app, deps);
  consoleRoutes(app);
  credentialRoutes(app, deps);
  destinationRoutes(app, deps);
  pipelineRoutes(app, deps);
  planRoutes(app, deps);
  estimateRoutes(app, deps);
  objectRoutes(app, deps);
  refreshRoutes(app, deps);
  runRoutes(app, deps);
  runEventRoutes(app, deps);
  rejectedRecordRoutes(app, deps);
  failedUnitRoutes(app, deps);
  erasureRoutes(app, deps);
  accountRoutes(app, deps);
  usageRoutes(app, deps);
  webhookRoutes(app, deps);
  systemRoutes(app, deps);
  tokenRoutes(app, deps);
  auditLogRoutes(app, deps);
  await app.ready();
  return app;
}
