import { z } from 'zod';
import { readSettings, settings } from './settings.ts';

export interface Tracing {
  /** Sends what was not sent yet, or gives it up after a while. */
  stop(): Promise<void>;
}

/**
 * Exports traces if the environment says where to, by OpenTelemetry's own variables; without them nothing is recorded, and nothing of the SDK is loaded.
 * @throws AppError `configuration` when they are not right.
 */
export async function startTracing(
  process: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Tracing> {
  const env = readSettings(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.serverUrl(['http:', 'https:']).optional(),
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: settings.serverUrl(['http:', 'https:']).optional(),
      OTEL_SDK_DISABLED: z.string().optional(),
      OTEL_SERVICE_NAME: settings.text.default(`freshet-${process}`),
      OTEL_TRACES_SAMPLER_ARG: z.coerce.number({ error: 'must be a number from 0 to 1' }).min(0).max(1).default(1),
    },
    environment,
  );
  const isOn = (env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined;
  if (!isOn || env.OTEL_SDK_DISABLED === 'true') return { stop: async () => {} };
  const { exportTraces } = await import('./trace-export.ts');
  return exportTraces(env.OTEL_SERVICE_NAME, env.OTEL_TRACES_SAMPLER_ARG);
}
