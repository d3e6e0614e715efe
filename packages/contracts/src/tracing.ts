import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

export type { Span };

export interface SpanOptions {
  readonly kind?: keyof typeof SpanKind;
  /** Names, ids and counts, but never values of a record or a request. */
  readonly attributes?: Attributes;
  /**
   * Trace contexts of the work that caused this span, each from {@link getTraceparent}. The first
   * context becomes the parent of the span, and the remaining contexts become links. Absent: the
   * parent is the active span.
   */
  readonly traceparents?: readonly (string | null)[];
}

const NO_PROVIDER = new ProxyTracerProvider().getDelegate();
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Whether spans are exported, because this process has registered a tracer provider. */
export function isTracingEnabled(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider && provider.getDelegate() === NO_PROVIDER);
}

/**
 * Runs `work` in an OpenTelemetry span. The span ends when the work ends, and gets an error status
 * if the work throws. In a process without a trace exporter, the overhead is negligible.
 * @throws the error of `work`.
 */
export async function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  if (!isTracingEnabled()) return await work(NO_SPAN);
  const { kind = 'INTERNAL', attributes = {}, traceparents } = options;
  const { parent, links } =
    traceparents === undefined ? { parent: context.active(), links: [] } : toCauses(traceparents);
  return await trace
    .getTracer('freshet')
    .startActiveSpan(name, { kind: SpanKind[kind], attributes, links }, parent, async (span) => {
      try {
        return await work(span);
      } catch (error) {
        // Error messages may contain values of records, so the span gets only the code. The log
        // has the message.
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute(
          'error.type',
          String((error as { code?: unknown } | null)?.code ?? (error as Error | null)?.name ?? 'unknown'),
        );
        throw error;
      } finally {
        span.end();
      }
    });
}

/** Converts the trace contexts of the work that caused a span to its parent and its links. */
function toCauses(traceparents: readonly (string | null)[]): { readonly parent: Context; readonly links: Link[] } {
  const [parent = ROOT_CONTEXT, ...others] = [...new Set(traceparents)].filter((t) => t !== null).map(extractContext);
  const linked = others.map((other) => trace.getSpanContext(other)).filter((spanContext) => spanContext !== undefined);
  return { parent, links: linked.map((spanContext) => ({ context: spanContext })) };
}

/**
 * Returns the `traceparent` (W3C Trace Context) of the active span, to be stored in a job that
 * continues the work. Returns null if no span is active.
 */
export function getTraceparent(): string | null {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'] ?? null;
}

function extractContext(traceparent: string): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent });
}
