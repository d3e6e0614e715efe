import { trace } from '@opentelemetry/api';
import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/** The names of fields whose values are redacted in the first three levels of a log line. */
const SECRET_FIELDS = [
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
 * Creates a logger that writes JSON lines to stdout. Messages are constant phrases, and values are
 * fields. Fields with the name of a secret are redacted. Errors are logged without the properties
 * that database drivers attach.
 */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: getTraceIds,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
    serializers: { err: serializeError },
  });
}

/** Returns the ids that correlate a log line with the active span. */
function getTraceIds(): object {
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

/**
 * Returns only the harmless properties of an error. Database drivers attach connection strings, and
 * queries with their values, to their errors.
 */
function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code, context } = error as { code?: unknown; context?: unknown };
  return {
    type: error.name,
    message: redactValues(error.message),
    ...(code === undefined ? {} : { code }),
    ...(context === undefined ? {} : { context }),
    stack: error.stack === undefined ? undefined : redactValues(error.stack),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/**
 * Removes the passwords in URLs, the tokens, sessions and sign-in codes of the API, and the
 * parameter values of a failed query from a text. Drizzle appends the parameter values to the error
 * message.
 */
function redactValues(text: string): string {
  return text
    .replace(/\b(fr[tsc]_)[0-9A-Za-z]{36}\b/g, '$1[redacted]')
    .replace(/\nparams: [\s\S]*?(?=\n\s+at |$)/g, '')
    .replace(/(\b[a-z]+:\/\/[^\s:/@]*):[^\s@/]*@/gi, '$1:[redacted]@');
}
