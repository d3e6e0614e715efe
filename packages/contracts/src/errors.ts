/**
 * How a worker handles an error. `snooze`: it requeues the job. `retry`: it retries the job with
 * backoff. `fail`: it fails the object run.
 */
export type JobOutcome = 'snooze' | 'retry' | 'fail';

interface ErrorPolicy {
  /** The HTTP status code of API responses that report the error. */
  readonly http: number;
  readonly job: JobOutcome;
  /** The cause, as Markdown for the error reference. */
  readonly summary: string;
  /** The remedy, as Markdown for the error reference. */
  readonly remedy: string;
}

/**
 * All error codes, each with the status code of the HTTP response, the outcome of the job, and the
 * texts of the error reference. `docs/errors.md` is generated from this table.
 *
 * The extractor converts Freshdesk status codes to these codes, and the loader converts SQLSTATEs
 * to these codes. All other modules use only these codes.
 */
export const ERROR_POLICY = {
  // Errors that clients of the API cause.
  invalid_input: {
    http: 400,
    job: 'fail',
    summary: 'The request is not valid.',
    remedy: 'Correct the fields that are listed in `errors`.',
  },
  unauthenticated: {
    http: 401,
    job: 'fail',
    summary: 'The request has no API token, or the token is unknown or expired.',
    remedy: 'Send a valid token in the header `Authorization: Bearer frt_…`.',
  },
  permission_denied: {
    http: 403,
    job: 'fail',
    summary: 'The role or the scopes of the token do not include the permission that the operation requires.',
    remedy: 'Use a token that has the permission in `detail`.',
  },
  not_found: {
    http: 404,
    job: 'fail',
    summary: 'The resource or the path does not exist.',
    remedy: 'Check the id and the path.',
  },
  conflict: {
    http: 409,
    job: 'fail',
    summary:
      'The request conflicts with the state of a resource. For example, the name is already in use, or the resource to delete is still used by other resources.',
    remedy: 'Resolve the conflict that is described in `detail`, then repeat the request.',
  },
  precondition_failed: {
    http: 412,
    job: 'fail',
    summary: 'The version in `If-Match` is not the current version of the resource.',
    remedy: 'Get the resource again, and repeat the request with the current `ETag`.',
  },
  idempotency_key_reused: {
    http: 422,
    job: 'fail',
    summary: 'The `Idempotency-Key` was already used for a different request.',
    remedy: 'Use a new key for each operation.',
  },
  request_in_progress: {
    http: 409,
    job: 'retry',
    summary: 'The first request with this `Idempotency-Key` is still being processed.',
    remedy: 'Wait for the time in the `Retry-After` header, then repeat the request with the same key.',
  },
  rate_limited: {
    http: 429,
    job: 'retry',
    summary: 'The token has exceeded its limit of requests per minute.',
    remedy: 'Wait for the time in the `Retry-After` header, then repeat the request.',
  },
  address_refused: {
    http: 422,
    job: 'fail',
    summary:
      'The deployment does not allow connections to the address of the warehouse, the webhook or the exported file.',
    remedy: 'Use a different address, or add the address to `FRESHET_ALLOWED_ADDRESSES`.',
  },
  // Errors of Freshdesk.
  out_of_credits: {
    http: 429,
    job: 'snooze',
    summary: 'The rate limit of the Freshdesk account is exhausted, or the pipeline has used its share of this limit.',
    remedy:
      'Nothing: Freshet continues when credits are available again. For more throughput, increase `credit_share_percent`.',
  },
  source_unavailable: {
    http: 502,
    job: 'retry',
    summary: 'Freshdesk cannot be reached, responds with a temporary error, or does not respond in time.',
    remedy: 'If the error persists, check the status of Freshdesk and the network.',
  },
  source_auth: {
    http: 422,
    job: 'fail',
    summary: 'Freshdesk rejected the API key, or the account is suspended.',
    remedy: 'Update the credential with a valid API key of an agent in this account.',
  },
  source_forbidden: {
    http: 422,
    job: 'fail',
    summary: 'The API key has no permission to read the object.',
    remedy: 'Use the API key of an administrator, or exclude the object.',
  },
  source_not_in_plan: {
    http: 422,
    job: 'fail',
    summary: 'The plan of the Freshdesk account does not include the object.',
    remedy: 'Upgrade the plan, or exclude the object.',
  },
  source_not_found: {
    http: 422,
    job: 'fail',
    summary: 'The record or the object does not exist in Freshdesk.',
    remedy: 'If a single record is missing, do nothing. If every object fails, check the subdomain.',
  },
  source_not_freshdesk: {
    http: 422,
    job: 'fail',
    summary:
      'The response is not a Freshdesk response: the subdomain leads to a different website, or a proxy sent or changed the response.',
    remedy: 'Check the subdomain. Also check any proxy between Freshet and Freshdesk.',
  },
  source_invalid_request: {
    http: 502,
    job: 'fail',
    summary: 'Freshdesk rejected a request as invalid.',
    remedy: 'Report the error, with its message, to the maintainers of Freshet.',
  },
  source_contract: {
    http: 502,
    job: 'fail',
    summary:
      'A Freshdesk response contradicts the Freshdesk API documentation. The object cannot be extracted completely.',
    remedy:
      'If a proxy changes the encoding of responses, correct the configuration of the proxy. Otherwise, report the error to the maintainers of Freshet.',
  },
  source_too_large: {
    http: 502,
    job: 'fail',
    summary: 'A Freshdesk response exceeds the size limit, although only one record was requested.',
    remedy: 'Delete the record or reduce its size in Freshdesk, or discard the failed unit.',
  },
  source_shrunk: {
    http: 502,
    job: 'fail',
    summary: 'A list contains far fewer records than in the previous run. Freshet marked no row as deleted.',
    remedy: 'If the records were deleted, restart the object. Otherwise, check the permissions of the API key.',
  },
  // Errors of the warehouse.
  warehouse_unavailable: {
    http: 502,
    job: 'retry',
    summary: 'The warehouse cannot be reached, or does not accept connections.',
    remedy: 'Check the address, the database name, the certificate, the server and the network.',
  },
  warehouse_auth: {
    http: 422,
    job: 'retry',
    summary: 'The warehouse rejected the user or the password.',
    remedy: 'Correct the credential of the destination, or the `pg_hba.conf` file of the server.',
  },
  warehouse_permission: {
    http: 422,
    job: 'retry',
    summary: 'The warehouse role lacks a privilege.',
    remedy: 'Run the `GRANT` statements that the connection test of the destination returns.',
  },
  warehouse_busy: {
    http: 503,
    job: 'retry',
    summary: 'The warehouse aborted a transaction because of a lock, a deadlock or a timeout.',
    remedy: 'Nothing: Freshet retries. If the error persists, end the session that holds the lock.',
  },
  warehouse_data: {
    http: 502,
    job: 'fail',
    summary: 'The warehouse rejected a value or a row.',
    remedy: 'Check the table for triggers and constraints that were added, and for column types that were changed.',
  },
  warehouse_behind: {
    http: 503,
    job: 'snooze',
    summary: 'Extraction is paused because the total size of the batches that are not loaded yet exceeds the limit.',
    remedy:
      'Nothing: extraction resumes when the backlog shrinks. If the backlog does not shrink, check the load workers.',
  },
  table_not_ready: {
    http: 409,
    job: 'fail',
    summary: 'The table does not exist in the warehouse yet.',
    remedy: 'Wait for the next run, which creates the table. Check that the pipeline includes the object of the table.',
  },
  query_timeout: {
    http: 422,
    job: 'fail',
    summary: 'The warehouse cancelled a query, because the query exceeded its time limit.',
    remedy:
      'Repeat the request when the warehouse is less busy. If the error persists, check whether another session locks the table.',
  },
  // Errors of reports.
  analytics_off: {
    http: 409,
    job: 'fail',
    summary: 'The pipeline has no analytics models, because `analytics` is false.',
    remedy: 'Set `analytics` to true, and wait until `analytics_refresh.status` is `succeeded`.',
  },
  analytics_not_ready: {
    http: 409,
    job: 'fail',
    summary: 'The analytics models of the pipeline do not exist yet. Freshet creates them after the next run.',
    remedy:
      'Wait until `analytics_refresh.refreshed_at` of the pipeline is not null. If `analytics_refresh.error` is set, correct its cause.',
  },
  report_timeout: {
    http: 422,
    job: 'fail',
    summary: 'The warehouse cancelled the query of a report, because the query exceeded its time limit.',
    remedy: 'Request a shorter interval, or run the SQL of the report in the warehouse.',
  },
  query_failed: {
    http: 422,
    job: 'fail',
    summary: 'The warehouse rejected a query, for example because a column does not exist.',
    remedy: 'Correct the query as described in `detail`. `GET /v1/pipelines/{id}/tables` lists tables and columns.',
  },
  // Errors of Freshet itself.
  interrupted: {
    http: 503,
    job: 'snooze',
    summary: 'The process shut down before the work was complete.',
    remedy: 'For a job, nothing: another worker continues the job. For an API request, repeat the request.',
  },
  fenced: {
    http: 409,
    job: 'snooze',
    summary:
      'The worker lost its lease: another worker acquired the lease, the run was cancelled, or the pipeline was paused.',
    remedy: 'Nothing: if the run is still active, the worker that now holds the lease continues the work.',
  },
  configuration: {
    http: 500,
    job: 'fail',
    summary: 'The configuration of the deployment is invalid.',
    remedy: 'Correct the settings that are listed in the message, and restart the process.',
  },
  secret_unreadable: {
    http: 500,
    job: 'fail',
    summary: 'A stored secret cannot be decrypted because its encryption key is missing from `FRESHET_SECRET_KEYS`.',
    remedy: 'Add the encryption key to `FRESHET_SECRET_KEYS`, or update the credential with a new secret.',
  },
  bug: {
    http: 500,
    job: 'retry',
    summary: 'An unexpected error occurred.',
    remedy: 'Search the logs for the `request_id`. Report the error to the maintainers of Freshet.',
  },
} as const satisfies Record<string, ErrorPolicy>;

export type ErrorCode = keyof typeof ERROR_POLICY;

export interface AppErrorOptions {
  /** Details for logs. They must not contain secrets or field values of records. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The error class of Freshet. `message` may be shown to users, so it states what is affected, the
 * cause and the remedy.
 */
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

/**
 * Returns an AppError unchanged. Converts any other thrown value to an AppError with the code
 * `bug`.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // Keep only the first line: the other lines of a database driver's message may contain values of
  // the query.
  const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new AppError('bug', `Unexpected error: ${message}`, { cause: error });
}

/** Rejects, at compile time, a `switch` that does not handle all cases. Call it in `default`. */
export function assertNever(value: never): never {
  throw new AppError('bug', `Unreachable: ${JSON.stringify(value)}`);
}
