import { z } from 'zod';
import { readSettings, settings } from './settings.ts';
import type { TraceExporter } from './trace-export.ts';

/**
 * Starts the export of traces if the environment variables of OpenTelemetry contain an endpoint and
 * do not disable the SDK. Otherwise, no span is created and the SDK is not loaded.
 * @param processName part of the default service name: `freshet-<processName>`.
 * @throws AppError `configuration` when a variable is malformed.
 */
export async function startTracing(
  processName: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TraceExporter> {
  const env = readSettings(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.serverUrl(['http:', 'https:']).optional(),
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: settings.serverUrl(['http:', 'https:']).optional(),
      OTEL_SDK_DISABLED: settings.string.optional(),
      OTEL_SERVICE_NAME: settings.string.default(`freshet-${processName}`),
      OTEL_TRACES_SAMPLER_ARG: z.coerce.number({ error: 'must be a number from 0 to 1' }).min(0).max(1).default(1),
    },
    environment,
  );
  const isEnabled = (env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined;
  if (!isEnabled || env.OTEL_SDK_DISABLED === 'true') return { stop: async () => {} };
  const { exportTraces } = await import('./trace-export.ts');
  return exportTraces(env.OTEL_SERVICE_NAME, env.OTEL_TRACES_SAMPLER_ARG);
}
