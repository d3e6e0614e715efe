import { FreshetError, type Problem } from './errors.ts';

export interface RetryOptions {
  /** An API token: `frt_…`. */
  readonly token: string;
  /** Tries of one call, the first included. */
  readonly tries: number;
  readonly fetch: typeof fetch;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Answers after which the same request may go well: too many requests, or trouble that passes. */
const PASSING = new Set([429, 502, 503, 504]);
/** A first request with this key is still worked on. */
const IN_PROGRESS = 'request_in_progress';
const WAIT_MS = 250;
const WAIT_MAX_MS = 30_000;

/**
 * A `fetch` that sends the token, and tries again what may go well the next time. Requests that change something carry one
 * `Idempotency-Key` through all of their tries, so that what an answer was lost of is not done twice.
 * @throws FreshetError for every answer that is no success.
 */
export function retryingFetch({ token, tries, fetch }: RetryOptions): (request: Request) => Promise<Response> {
  return async (original) => {
    const headers = new Headers(original.headers);
    headers.set('authorization', `Bearer ${token}`);
    if (!SAFE.has(original.method) && !headers.has('idempotency-key'))
      headers.set('idempotency-key', crypto.randomUUID());
    const request = new Request(original, { headers });
    for (let attempt = 1; ; attempt++) {
      const { response, error } = await attemptOf(fetch, request.clone());
      if (error === null) return response as Response;
      const mayGoWell = error.status === 0 || PASSING.has(error.status) || error.code === IN_PROGRESS;
      if (!mayGoWell || attempt >= tries || original.signal.aborted) throw error;
      await pause(response, attempt, original.signal);
    }
  };
}

async function attemptOf(
  send: typeof fetch,
  request: Request,
): Promise<{ response: Response | null; error: FreshetError | null }> {
  try {
    const response = await send(request);
    return { response, error: response.ok ? null : new FreshetError(response.status, await problemIn(response)) };
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    const { message } = cause as Error;
    return {
      response: null,
      error: new FreshetError(
        0,
        { code: 'unreachable', detail: `The API could not be reached: ${message}.` },
        { cause },
      ),
    };
  }
}

async function problemIn(response: Response): Promise<Partial<Problem>> {
  try {
    return (await response.json()) as Problem;
  } catch {
    // A proxy's page, say: its status is all that there is to tell.
    return {};
  }
}

/** As long as the answer asks for; else twice as long each time, with jitter. */
function pause(response: Response | null, attempt: number, signal: AbortSignal): Promise<void> {
  const asked = Number(response?.headers.get('retry-after') ?? Number.NaN) * 1000;
  const ms = Number.isFinite(asked)
    ? asked
    : Math.min(WAIT_MAX_MS, WAIT_MS * 2 ** (attempt - 1)) * (0.5 + Math.random());
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
