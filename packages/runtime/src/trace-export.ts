import { hostname } from 'node:os';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** The maximum time that a shutdown waits for the collector. */
const FLUSH_TIMEOUT_MS = 2000;

export interface TraceExporter {
  /** Flushes pending spans. Resolves after a timeout when the collector does not respond. */
  stop(): Promise<void>;
}

/**
 * Registers the OpenTelemetry SDK and exports spans over OTLP.
 * @param service the value of `service.name`.
 * @param ratio the fraction of root traces to sample, from 0 to 1. A trace that a caller has
 *   started follows the sampling decision of the caller.
 */
export function exportTraces(service: string, ratio: number): TraceExporter {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': service,
      'service.namespace': 'freshet',
      'service.instance.id': `${hostname()}/${process.pid}`,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    // The exporter reads its endpoint, headers and timeout from the environment.
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      const { promise: timeout, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
      // If the collector is unavailable, the pending spans are lost, but the shutdown must not
      // fail.
      await Promise.race([provider.shutdown().catch(() => {}), timeout]);
      clearTimeout(timer);
    },
  };
}
