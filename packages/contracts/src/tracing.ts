import {
  type Attributes,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

export type { Span };

export interface Traced {
  readonly kind?: keyof typeof SpanKind;
  /** Few and harmless: names, ids and counts, never what a record or a request holds. */
  readonly attributes?: Attributes;
  /** What the work is done for, each as `traceparent` gave it: it belongs to the first, and is linked to the others. Absent: to whatever is under way here. */
  readonly causes?: readonly (string | null)[];
}

/**
 * Does some work as a span of OpenTelemetry's, which ends with it, and fails if it does. In a process that exports no traces it costs
 * next to nothing.
 */
export async function traced<T>(name: string, options: Traced, work: (span: Span) => Promise<T>): Promise<T> {
  const { kind = 'INTERNAL', attributes = {}, causes } = options;
  const [first, ...others] = [...new Set(causes ?? [])].filter((cause) => cause !== null).map(contextOf);
  const parent = causes === undefined ? context.active() : (first ?? ROOT_CONTEXT);
  const links = others.map((other) => trace.getSpanContext(other)).filter((found) => found !== undefined);
  return await trace
    .getTracer('freshet')
    .startActiveSpan(
      name,
      { kind: SpanKind[kind], attributes, links: links.map((spanContext): Link => ({ context: spanContext })) },
      parent,
      async (span) => {
        try {
          return await work(span);
        } catch (error) {
          // Messages may hold what an account holds: a code says enough, and the log has the rest.
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute(
            'error.type',
            String((error as { code?: unknown } | null)?.code ?? (error as Error | null)?.name ?? 'unknown'),
          );
          throw error;
        } finally {
          span.end();
        }
      },
    );
}

/** What is under way here, for whoever goes on with it elsewhere, as in W3C's Trace Context; null: nothing that is traced. */
export function traceparent(): string | null {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'] ?? null;
}

function contextOf(cause: string) {
  return propagation.extract(ROOT_CONTEXT, { traceparent: cause });
}
