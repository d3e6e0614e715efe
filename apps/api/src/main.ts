/** Serves the HTTP API and the console. */
import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import { isTokenFormat, openControlStore } from '@freshet/control-store';
import { createOutboundPolicy, runService, settings } from '@freshet/runtime';
import { buildApp } from './app.ts';
import { createSiteBuild } from './resources/help/build.ts';

/** The documentation site of a bundle. */
const HELP_FOLDER = fileURLToPath(new URL('../../../help', import.meta.url));

const TRACE_URL_ERROR =
  'must be an http or https URL that contains {trace_id}, such as https://jaeger.example.com/trace/{trace_id}';

await runService({
  name: 'api',
  settings: {
    FRESHET_BOOTSTRAP_TOKEN: settings.FRESHET_BOOTSTRAP_TOKEN.refine((t) => t === undefined || isTokenFormat(t), {
      error: 'must be a token: frt_ followed by 36 characters, the last six of which are a checksum',
    }),
    FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
    FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
    FRESHET_FREQUENCY_MINUTES_MIN: settings.integer(5, 30).default(30),
    FRESHET_FREQUENCY_MINUTES_DEFAULT: settings.integer(5, 1440).default(360),
    FRESHET_HELP_DIR: settings.string.default(HELP_FOLDER),
    FRESHET_HELP_BUILD: settings.string.optional(),
    FRESHET_REQUESTS_PER_MINUTE: settings.integer(1, 1_000_000).default(1200),
    FRESHET_TRACE_URL: settings.string.refine(isTraceUrl, { error: TRACE_URL_ERROR }).optional(),
    FRESHET_TRUSTED_PROXIES: settings.string.default(''),
    PORT: settings.PORT.default(8080),
  },
  openStore: (options) => openControlStore({ ...options, supervise: false }),
  start: async ({ env, store, logger, metrics, shutdownSignal }) => {
    if (env.FRESHET_BOOTSTRAP_TOKEN !== undefined) await store.tokens.ensureBootstrap(env.FRESHET_BOOTSTRAP_TOKEN);
    const app = await buildApp({
      store,
      originTemplate: env.FRESHDESK_ORIGIN ?? null,
      isDraining: () => shutdownSignal.aborted,
      outboundPolicy: createOutboundPolicy(env.FRESHET_ALLOWED_ADDRESSES),
      frequency: { min: env.FRESHET_FREQUENCY_MINUTES_MIN, default: env.FRESHET_FREQUENCY_MINUTES_DEFAULT },
      metrics,
      requestsPerMinute: env.FRESHET_REQUESTS_PER_MINUTE,
      trustedProxies: env.FRESHET_TRUSTED_PROXIES,
      help: {
        folder: env.FRESHET_HELP_DIR,
        ...(env.FRESHET_HELP_BUILD === undefined ? {} : { build: createSiteBuild(env.FRESHET_HELP_BUILD, logger) }),
      },
      traceUrl: env.FRESHET_TRACE_URL ?? null,
      logger,
    });
    const address = await app.listen({ host: env.HOST, port: env.PORT }).catch((error: unknown) => {
      throw toConfigurationError(error, env.PORT);
    });
    // Report the address to the parent process: if `PORT` is 0, the system selects a free port.
    process.send?.({ listening: address });
    return { stopIntake: () => app.close() };
  },
});

function toConfigurationError(error: unknown, port: number): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE')
    return new AppError('configuration', `PORT: port ${port} is in use. Choose a different port.`);
  if (code === 'EACCES')
    return new AppError(
      'configuration',
      `PORT: this user is not allowed to listen on port ${port}. Choose a port above 1023.`,
    );
  return error;
}

function isTraceUrl(value: string): boolean {
  const protocol = URL.parse(value)?.protocol;
  return (protocol === 'https:' || protocol === 'http:') && value.includes('{trace_id}');
}
