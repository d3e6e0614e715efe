import { type AppError, ERROR_POLICY } from '@freshet/contracts';
import { classifyAccessError } from '@freshet/freshdesk-extractor';

/**
 * The object run fails after this many consecutive slices that failed before they committed a
 * page. With the backoff, this takes three to five minutes.
 */
const FAILURES_MAX = 9;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 60_000;
/** The time to wait for credits if the error does not specify a time. */
const CREDIT_WAIT_MS = 60_000;

/** The reaction to an error that has ended a slice. */
type FailureAction =
  /**
   * Another worker holds the lease, the run was cancelled, or the pipeline is paused: do nothing.
   */
  | { readonly kind: 'abandon' }
  | { readonly kind: 'wait_for_credits'; readonly afterMs: number }
  /** A shutdown has aborted the requests in flight: requeue the job without counting a failure. */
  | { readonly kind: 'requeue' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'stop'; readonly status: 'forbidden' | 'not_in_plan' | 'failed' };

/** @param failures the number of consecutive failed slices before this slice. */
export function decideFailureAction(error: AppError, failures: number): FailureAction {
  if (error.code === 'fenced') return { kind: 'abandon' };
  if (error.code === 'out_of_credits')
    return { kind: 'wait_for_credits', afterMs: error.retryAfterMs ?? CREDIT_WAIT_MS };
  if (error.code === 'interrupted') return { kind: 'requeue' };
  if (ERROR_POLICY[error.code].job === 'retry' && failures + 1 < FAILURES_MAX)
    return { kind: 'retry', afterMs: Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** failures) };
  const access = classifyAccessError(error);
  return { kind: 'stop', status: access === 'forbidden' || access === 'not_in_plan' ? access : 'failed' };
}
