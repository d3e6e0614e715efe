import type { components } from './api.ts';

export type Problem = components['schemas']['Problem'];

/** An answer that says no, or that never came. */
export class FreshetError extends Error {
  /** The HTTP status; 0: there was no answer. */
  readonly status: number;
  /** The stable kind of problem, such as `invalid_input`; `unreachable` where there was no answer. */
  readonly code: string;
  /** Each field that is wrong, by its JSON pointer. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  /** Names the request in the logs of the deployment; null where there was no answer. */
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem>, options?: ErrorOptions) {
    super(problem.detail ?? `The API answered with status ${status}.`, options);
    this.name = 'FreshetError';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? null;
  }
}
