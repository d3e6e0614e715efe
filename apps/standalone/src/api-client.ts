import { AppError } from '@freshet/contracts';

/** The API's answers, as far as a standalone deployment reads them. */
export interface RunAnswer {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** From 0 to 1; null when it is not known. */
  readonly progress: number | null;
  readonly estimated_finished_at: string | null;
  readonly objects: readonly ObjectRunAnswer[];
}

export interface ObjectRunAnswer {
  readonly object: string;
  readonly status: string;
  readonly mode: string;
  readonly records_extracted: number;
  readonly records_loaded: number;
  readonly records_unchanged: number;
  readonly records_deleted: number;
  readonly records_rejected: number;
  readonly failed_units: number;
  readonly findings: {
    readonly missing: number;
    readonly stale: number;
    readonly repaired: number;
    readonly explained: Readonly<Record<string, number>>;
  } | null;
  readonly credits_used: number;
  readonly bytes_staged: number;
  readonly progress: number | null;
  readonly not_before: string | null;
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly count: number }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Calls Freshet's own API, as any other client would. */
export class ApiClient {
  readonly #base: string;
  readonly #token: string;

  constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  /** @throws AppError `configuration` with the API's own words for a refusal. */
  async call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = text === '' ? null : (JSON.parse(text) as unknown);
    if (!response.ok)
      throw new AppError(
        'configuration',
        (answer as { detail?: string } | null)?.detail ?? `${method} ${path} answered with ${response.status}.`,
      );
    return answer as T;
  }
}
