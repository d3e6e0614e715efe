/** What a worker does about an error: put the job back, try again with backoff, or give the object run up. */
export type JobOutcome = 'snooze' | 'retry' | 'fail';

interface ErrorPolicy {
  /** The HTTP status of an answer that reports it. */
  readonly http: number;
  readonly job: JobOutcome;
}

/**
 * Every kind of error that Freshet can meet, and what it means for an answer and for a job.
 * HTTP statuses of Freshdesk become codes in the extractor's client, SQLSTATEs in the loader; nobody else looks at either.
 */
export const ERROR_POLICY = {
  // The caller.
  invalid_input: { http: 400, job: 'fail' },
  unauthenticated: { http: 401, job: 'fail' },
  permission_denied: { http: 403, job: 'fail' },
  not_found: { http: 404, job: 'fail' },
  conflict: { http: 409, job: 'fail' },
  precondition_failed: { http: 412, job: 'fail' },
  idempotency_key_reused: { http: 422, job: 'fail' },
  request_in_progress: { http: 409, job: 'retry' },
  rate_limited: { http: 429, job: 'retry' },
  address_refused: { http: 422, job: 'fail' },
  // Freshdesk.
  out_of_credits: { http: 429, job: 'snooze' },
  source_unavailable: { http: 502, job: 'retry' },
  source_auth: { http: 422, job: 'fail' },
  source_forbidden: { http: 422, job: 'fail' },
  source_not_in_plan: { http: 422, job: 'fail' },
  source_not_found: { http: 422, job: 'fail' },
  source_not_freshdesk: { http: 422, job: 'fail' },
  source_invalid_request: { http: 502, job: 'fail' },
  source_contract: { http: 502, job: 'fail' },
  source_too_large: { http: 502, job: 'fail' },
  source_shrunk: { http: 502, job: 'fail' },
  // The warehouse.
  warehouse_unavailable: { http: 502, job: 'retry' },
  warehouse_auth: { http: 422, job: 'retry' },
  warehouse_permission: { http: 422, job: 'retry' },
  warehouse_busy: { http: 503, job: 'retry' },
  warehouse_data: { http: 502, job: 'fail' },
  warehouse_behind: { http: 503, job: 'snooze' },
  // Ourselves.
  interrupted: { http: 503, job: 'snooze' },
  fenced: { http: 409, job: 'snooze' },
  configuration: { http: 500, job: 'fail' },
  secret_unreadable: { http: 500, job: 'fail' },
  bug: { http: 500, job: 'retry' },
} as const satisfies Record<string, ErrorPolicy>;

export type ErrorCode = keyof typeof ERROR_POLICY;

export interface AppErrorOptions {
  /** For logs only; never secrets, never records. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The one error class. `message` may be shown to a user and says what is wrong and what would be right. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.context = options.context ?? {};
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Any thrown value as an AppError: an unforeseen one is a `bug`, never a guess at something milder. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // A driver's message may go on with the values of its query.
  const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new AppError('bug', `Unexpected error: ${message}`, { cause: error });
}

/** For the `default` of a switch that must be exhaustive. */
export function unreachable(value: never): never {
  throw new AppError('bug', `Unreachable: ${JSON.stringify(value)}`);
}
