import { FreshetError, type Problem } from './errors.ts';

export interface RetryOptions {
  /** An API token: `frt_…`. */
  readonly token: string;
  /** Attempts per request, including the first. */
  readonly maxAttempts: number;
  readonly fetch: typeof fetch;
}

/**
 * The outcome of one attempt. `response` is null if the server sent no response. `error` is null if
 * the attempt succeeded.
 */
interface Attempt {
  readonly response: Response | null;
  readonly error: FreshetError | null;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Too many requests, and temporary failures of the server or of a proxy. */
const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);
/** The error code if an earlier request with the same idempotency key is still running. */
const REQUEST_IN_PROGRESS = 'request_in_progress';
const BACKOFF_INITIAL_MS = 250;
const BACKOFF_MAX_MS = 30_000;

/**
 * Returns a `fetch` that authenticates with the token and retries temporary failures. All attempts
 * of a request that changes data have the same `Idempotency-Key`, so the server executes the
 * request only once, even if a response is lost. The returned function throws FreshetError if the
 * last attempt received an error status or no response, and throws the signal's reason on abort.
 */
export function retryingFetch({ token, maxAttempts, fetch }: RetryOptions): (request: Request) => Promise<Response> {
  return async (original) => {
    const headers = new Headers(original.headers);
    headers.set('authorization', `Bearer ${token}`);
    if (!SAFE_METHODS.has(original.method) && !headers.has('idempotency-key'))
      headers.set('idempotency-key', crypto.randomUUID());
    const request = new Request(original, { headers });
    for (let attempt = 1; ; attempt++) {
      const { response, error } = await sendOnce(fetch, request.clone(), original.signal);
      if (error === null) return response as Response;
      const isRetryable =
        error.status === 0 || RETRYABLE_STATUSES.has(error.status) || error.code === REQUEST_IN_PROGRESS;
      if (!isRetryable || attempt >= maxAttempts || original.signal.aborted) throw error;
      await waitBeforeRetry(response, attempt, original.signal);
    }
  };
}

/**
 * @param signal the signal of the caller. It is passed separately, because the signal of a cloned
 *   request can stop following the signal of the caller after a garbage collection.
 */
async function sendOnce(send: typeof fetch, request: Request, signal: AbortSignal): Promise<Attempt> {
  try {
    const response = await send(request, { signal });
    return { response, error: response.ok ? null : new FreshetError(response.status, await parseProblem(response)) };
  } catch (cause) {
    if (signal.aborted) throw cause;
    const detail = `The API is unreachable: ${(cause as Error).message}. Check the URL and the network connection.`;
    return { response: null, error: new FreshetError(0, { code: 'unreachable', detail }, { cause }) };
  }
}

async function parseProblem(response: Response): Promise<Partial<Problem>> {
  try {
    return (await response.json()) as Problem;
  } catch {
    // The body is not JSON, for example an HTML page of a proxy. Only the status is known.
    return {};
  }
}

/**
 * Waits for the time in `Retry-After`. If there is no response, or the response has no such header,
 * waits with exponential backoff and jitter. Rejects when the signal aborts.
 */
function waitBeforeRetry(response: Response | null, attempt: number, signal: AbortSignal): Promise<void> {
  const retryAfterMs = Number(response?.headers.get('retry-after') ?? Number.NaN) * 1000;
  const delayMs = Number.isFinite(retryAfterMs)
    ? retryAfterMs
    : Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** (attempt - 1)) * (0.5 + Math.random());
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
