import { trace } from '@opentelemetry/api';
import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

const SECRET_PATHS = [
  'password',
  'api_key',
  'apiKey',
  'authorization',
  'token',
  'secret',
  'connectionString',
  'databaseUrl',
];

/**
 * JSON lines on stdout. The message is a constant phrase, values are fields; fields named like secrets are
 * removed at any of the first three levels, and errors are written without what drivers attach to them.
 */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: traceIds,
    redact: { paths: SECRET_PATHS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    serializers: { err: serializeError },
  });
}

/** What is said while something is traced can be found by it. */
function traceIds(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

interface SerializedError {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly context?: unknown;
  readonly cause?: SerializedError;
}

/** Only what is known to be harmless: drivers hang connection strings and whole queries with values on errors. */
function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code, context } = error as { code?: unknown; context?: unknown };
  return {
    type: error.name,
    message: withoutCredentials(error.message),
    ...(code === undefined ? {} : { code }),
    ...(context === undefined ? {} : { context }),
    stack: error.stack === undefined ? undefined : withoutCredentials(error.stack),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/** Nor the values of a query that failed, which drizzle writes into the message. */
function withoutCredentials(text: string): string {
  return text
    .replace(/\nparams: [\s\S]*?(?=\n\s+at |$)/g, '')
    .replace(/(\b[a-z]+:\/\/[^\s:/@]*):[^\s@/]*@/gi, '$1:[redacted]@');
}
