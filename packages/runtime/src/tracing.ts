import { hostname } from 'node:os';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import { readSettings, settings } from './settings.ts';

/** A process that ends waits for a collector no longer than this. */
const FLUSH_MS = 2000;

export interface Tracing {
  /** Sends what was not sent yet, or gives it up after a while. */
  stop(): Promise<void>;
}

/**
 * Exports traces if the environment says where to, by OpenTelemetry's own variables; without them nothing is recorded.
 * @throws AppError `configuration` when they are not right.
 */
export function startTracing(process: string, environment: Readonly<Record<string, string | undefined>>): Tracing {
  const env = readSettings(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.url(['http:', 'https:']).optional(),
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: settings.url(['http:', 'https:']).optional(),
      OTEL_SDK_DISABLED: z.string().optional(),
      OTEL_SERVICE_NAME: settings.text.default(`freshet-${process}`),
      OTEL_TRACES_SAMPLER_ARG: z.coerce.number({ error: 'must be a number from 0 to 1' }).min(0).max(1).default(1),
    },
    environment,
  );
  const isOn = (env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined;
  if (!isOn || env.OTEL_SDK_DISABLED === 'true') return { stop: async () => {} };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': env.OTEL_SERVICE_NAME,
      'service.namespace': 'freshet',
      'service.instance.id': `${hostname()}/${globalThis.process.pid}`,
    }),
    // Whoever asks decides for the whole of a trace; of what begins here, so much is kept.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(env.OTEL_TRACES_SAMPLER_ARG) }),
    // Where to, with which headers, and how long: the exporter reads that from the environment itself.
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, FLUSH_MS);
      // A collector that is away has cost its traces, and nothing else.
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
    },
  };
}
