import type { components } from './api.ts';

export type Problem = components['schemas']['Problem'];

/** The error of a response with an error status, or of a request that received no response. */
export class FreshetError extends Error {
  /** The HTTP status code, or 0 if the request received no response. */
  readonly status: number;
  /**
   * The stable error code, such as `invalid_input`; `unreachable` if the request received no
   * response.
   */
  readonly code: string;
  /** The invalid fields. `pointer` is the JSON pointer to the field in the request. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  /**
   * The request ID. The deployment's logs contain the same ID. Null if the request received no
   * response, or a response without a request ID, for example from a proxy.
   */
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem>, options?: ErrorOptions) {
    super(problem.detail ?? `The API responded with status ${status}.`, options);
    this.name = 'FreshetError';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? null;
  }
}
