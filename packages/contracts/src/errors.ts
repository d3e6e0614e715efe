/** How a worker handles an error: requeue the job, retry with backoff, or fail the object run. */
export type JobOutcome = 'snooze' | 'retry' | 'fail';

interface ErrorPolicy {
  /** The status code of a response that reports the error. */
  readonly http: number;
  readonly job: JobOutcome;
  /** The cause, for the error reference. Markdown. */
  readonly summary: string;
  /** The remedy, for the error reference. Markdown. */
  readonly remedy: string;
}

/**
 * All error codes, with the status code of the HTTP response, the outcome of the job, and the texts
 * of the error reference (`docs/errors.md`, which is generated from this table).
 *
 * The extractor's client maps status codes of Freshdesk to these codes, and the loader maps
 * SQLSTATEs. All other code uses only these codes.
 */
export const ERROR_POLICY = {
  // Errors of the API's client.
  invalid_input: {
    http: 400,
    job: 'fail',
    summary: 'The request is not valid.',
    remedy: 'Correct the fields that `errors` names.',
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
    remedy: 'Use a token with the permission that `detail` names.',
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
      'The request conflicts with the state of a resource, such as a name that is in use or a resource that others refer to.',
    remedy: 'Resolve the conflict that `detail` describes, then repeat the request.',
  },
  precondition_failed: {
    http: 412,
    job: 'fail',
    summary: 'The resource has another version than `If-Match` names.',
    remedy: 'Get the resource again and repeat the request with its current `ETag`.',
  },
  idempotency_key_reused: {
    http: 422,
    job: 'fail',
    summary: 'The `Idempotency-Key` was used for a request with other content.',
    remedy: 'Use a new key for each operation.',
  },
  request_in_progress: {
    http: 409,
    job: 'retry',
    summary: 'The first request with this `Idempotency-Key` is still being processed.',
    remedy: 'Repeat the request with the same key after `Retry-After`.',
  },
  rate_limited: {
    http: 429,
    job: 'retry',
    summary: 'The token has exceeded its requests per minute.',
    remedy: 'Wait for `Retry-After`, then repeat the request.',
  },
  address_refused: {
    http: 422,
    job: 'fail',
    summary: 'The deployment does not allow connections to the address of the warehouse or webhook.',
    remedy: 'Use another address, or add it to `FRESHET_ALLOWED_ADDRESSES`.',
  },
  // Errors of Freshdesk.
  out_of_credits: {
    http: 429,
    job: 'snooze',
    summary: 'The rate limit of the Freshdesk account, or the pipeline’s share of it, is exhausted.',
    remedy: 'None: work continues when the limit allows it. For more throughput, increase `credit_share_percent`.',
  },
  source_unavailable: {
    http: 502,
    job: 'retry',
    summary: 'Freshdesk cannot be reached, responds with a temporary error, or does not respond in time.',
    remedy: 'Check the status of Freshdesk and the network if the error persists.',
  },
  source_auth: {
    http: 422,
    job: 'fail',
    summary: 'Freshdesk rejected the API key, or the account is suspended.',
    remedy: 'Update the credential with a valid API key of an agent of this account.',
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
    summary: 'Freshdesk has no such record or object.',
    remedy: 'None for a single record. Check the subdomain if every object fails.',
  },
  source_not_freshdesk: {
    http: 422,
    job: 'fail',
    summary:
      'The response does not come from Freshdesk: the address serves another website, or a proxy changed the response.',
    remedy: 'Check the subdomain, and any proxy between Freshet and Freshdesk.',
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
      'A response of Freshdesk contradicts the documentation of its API, so that the object cannot be extracted completely.',
    remedy:
      'Configure a proxy that changes encodings, if there is one. Otherwise, report the error to the maintainers of Freshet.',
  },
  source_too_large: {
    http: 502,
    job: 'fail',
    summary: 'A response of Freshdesk exceeds the size limit, even with a single record.',
    remedy: 'Delete or reduce the record in Freshdesk, or discard the failed unit.',
  },
  source_shrunk: {
    http: 502,
    job: 'fail',
    summary: 'A list returned far fewer records than before. No row was marked as deleted.',
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
    remedy: 'Update the credential of the destination, or the server’s `pg_hba.conf`.',
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
    remedy: 'None, unless the error persists: then end the session that holds the lock.',
  },
  warehouse_data: {
    http: 502,
    job: 'fail',
    summary: 'The warehouse rejected a value or a row.',
    remedy: 'Check triggers, constraints and column types that were added to the table.',
  },
  warehouse_behind: {
    http: 503,
    job: 'snooze',
    summary: 'Extraction is paused, because too many batches wait to be loaded.',
    remedy: 'None: extraction resumes when the backlog shrinks. Check the load workers if it does not shrink.',
  },
  // Errors of Freshet itself.
  interrupted: {
    http: 503,
    job: 'snooze',
    summary: 'The process shut down before the work was complete.',
    remedy: 'None: another worker continues the work. Repeat an API request.',
  },
  fenced: {
    http: 409,
    job: 'snooze',
    summary: 'The worker lost its lease: another worker took the work over, or the run was cancelled or paused.',
    remedy: 'None: the worker that holds the lease continues.',
  },
  configuration: {
    http: 500,
    job: 'fail',
    summary: 'The configuration of the deployment is invalid.',
    remedy: 'Correct the settings that the message names, and restart the process.',
  },
  secret_unreadable: {
    http: 500,
    job: 'fail',
    summary: 'A stored secret cannot be decrypted, because `FRESHET_SECRET_KEYS` lacks its key.',
    remedy: 'Add the key to `FRESHET_SECRET_KEYS`, or update the credential with a new secret.',
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
  /** Details for logs. Must not hold secrets or values of records. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The error class of Freshet. Users may see `message`: it names the object, the cause and the
 * remedy.
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

/** Converts any thrown value to an AppError. An error of another class becomes a `bug`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // Further lines of a driver's message may contain values of the query.
  const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new AppError('bug', `Unexpected error: ${message}`, { cause: error });
}

/** Rejects, at compile time, a `switch` that does not handle all cases. Call it in `default`. */
export function assertNever(value: never): never {
  throw new AppError('bug', `Unreachable: ${JSON.stringify(value)}`);
}
