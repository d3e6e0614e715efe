import { AppError } from '@freshet/contracts';
import { isToken, openControlStore } from '@freshet/control-store';
import { createLogger, Metrics, outbound, readSettings, runProcess, settings, startMonitor } from '@freshet/runtime';
import { buildApp } from './app.ts';

const NAME = 'api';
const logger = createLogger(NAME, process.env['LOG_LEVEL'] || 'info');

await runProcess(NAME, logger, async () => {
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS,
      FRESHET_BOOTSTRAP_TOKEN: settings.FRESHET_BOOTSTRAP_TOKEN.refine((t) => t === undefined || isToken(t), {
        error: 'must be a token: frt_ and 36 digits, the last six of them a checksum',
      }),
      FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
      FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
      FRESHET_FREQUENCY_MINUTES_MIN: settings.wholeNumber(5, 30).default(30),
      FRESHET_FREQUENCY_MINUTES_DEFAULT: settings.wholeNumber(5, 1440).default(360),
      FRESHET_REQUESTS_PER_MINUTE: settings.wholeNumber(1, 1_000_000).default(1200),
      FRESHET_TRUSTED_PROXIES: settings.text.default(''),
      HOST: settings.HOST,
      PORT: settings.PORT.default(8080),
      FRESHET_MONITOR_PORT: settings.FRESHET_MONITOR_PORT,
      LOG_LEVEL: settings.LOG_LEVEL,
    },
    process.env,
  );
  const reach = outbound(env.FRESHET_ALLOWED_ADDRESSES);
  const store = await openControlStore({
    name: NAME,
    databaseUrl: env.DATABASE_URL,
    secretKeys: env.FRESHET_SECRET_KEYS,
    supervise: false,
    onError: (error) => logger.warn({ err: error }, 'queue trouble'),
  });
  if (env.FRESHET_BOOTSTRAP_TOKEN !== undefined) await store.tokens.ensureBootstrap(env.FRESHET_BOOTSTRAP_TOKEN);
  let draining = false;
  const metrics = new Metrics(NAME);
  const check = () => store.ping();
  const monitor = await startMonitor({
    host: env.HOST,
    port: env.FRESHET_MONITOR_PORT,
    metrics,
    check,
    isDraining: () => draining,
  });
  const app = await buildApp({
    store,
    originTemplate: env.FRESHDESK_ORIGIN ?? null,
    isDraining: () => draining,
    reach,
    frequency: { min: env.FRESHET_FREQUENCY_MINUTES_MIN, default: env.FRESHET_FREQUENCY_MINUTES_DEFAULT },
    metrics,
    requestsPerMinute: env.FRESHET_REQUESTS_PER_MINUTE,
    trustedProxies: env.FRESHET_TRUSTED_PROXIES,
    logger,
  });
  try {
    const address = await app.listen({ host: env.HOST, port: env.PORT });
    // Whoever started this process may want to know where it listens, if it let us choose the port.
    process.send?.({ listening: address });
  } catch (error) {
    await store.close();
    const { code } = error as { code?: string };
    if (code === 'EADDRINUSE')
      throw new AppError('configuration', `Port ${env.PORT} is in use. Give another one with PORT.`);
    if (code === 'EACCES')
      throw new AppError(
        'configuration',
        `Port ${env.PORT} may not be used by this user. Give one above 1023 with PORT.`,
      );
    throw error;
  }
  return {
    stop: async () => {
      draining = true;
      await app.close();
      await store.close();
      monitor.close();
    },
  };
});
