/**
 * A typed client for Freshet's API: every operation of its OpenAPI document by path and method, and what is tedious to write
 * for oneself: tries that are safe to repeat, pages as one list, runs that are waited for and watched.
 *
 *     const freshet = new Freshet({ url: 'http://localhost:8080', token: 'frt_…' });
 *     const run = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id } } });
 *     const done = await freshet.waitForRun(run.id);
 */
import createClient, {
  type Client,
  type ClientPathsWithMethod,
  type FetchResponse,
  type MaybeOptionalInit,
} from 'openapi-fetch';
import type { components, paths } from './api.ts';
import { FreshetError } from './errors.ts';
import { retryingFetch } from './retrying-fetch.ts';
import { eventsIn } from './server-sent-events.ts';

export type { components, operations, paths } from './api.ts';
export { FreshetError, type Problem } from './errors.ts';

/** Every named shape of the API, such as `Schemas['Pipeline']`. */
export type Schemas = components['schemas'];
export type Run = Schemas['Run'];

export interface FreshetOptions {
  /** Where the API answers, such as `https://freshet.example.com`. */
  readonly url: string;
  /** An API token: `frt_…`. */
  readonly token: string;
  /** Tries of one call, the first included (default 4). */
  readonly tries?: number;
  /** Another `fetch` than the platform's. */
  readonly fetch?: typeof fetch;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** One page of any list. */
interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

/** Paths whose answer is a page, and what is in it. */
type ListPath = {
  [P in keyof paths]: paths[P] extends {
    get: { responses: { 200: { content: { 'application/json': Page<unknown> } } } };
  }
    ? P
    : never;
}[keyof paths];
type ListGet<P extends ListPath> = paths[P] extends { get: infer G } ? G : never;
type Item<P extends ListPath> =
  ListGet<P> extends { responses: { 200: { content: { 'application/json': { data: readonly (infer T)[] } } } } }
    ? T
    : never;
type ListParameters<P extends ListPath> =
  ListGet<P> extends { parameters: infer Q }
    ? { [K in keyof Q as K extends 'query' | 'path' ? K : never]: Q[K] }
    : never;

type Verb = 'get' | 'post' | 'patch' | 'delete';
/** A call by the path's template, as the document has it; what it needs (`params`, `body`) and what it answers follow from that. */
type Call<V extends Verb> = <
  P extends ClientPathsWithMethod<Client<paths>, V>,
  Init extends MaybeOptionalInit<paths[P], V>,
>(
  path: P,
  ...init: Record<string, never> extends Init ? [init?: Init] : [init: Init]
) => Promise<
  Extract<
    FetchResponse<paths[P][V] & Record<string | number, unknown>, Init, `${string}/${string}`>,
    { error?: never }
  >['data']
>;

const WAIT_SECONDS = 30;

export class Freshet {
  /** `get('/v1/pipelines/{id}', { params: { path: { id } } })`. @throws FreshetError, as all of them, for an answer that is no success. */
  readonly get: Call<'get'>;
  readonly post: Call<'post'>;
  readonly patch: Call<'patch'>;
  readonly delete: Call<'delete'>;
  readonly #url: string;
  readonly #fetch: (request: Request) => Promise<Response>;

  constructor({ url, token, tries = 4, fetch: send = fetch }: FreshetOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#fetch = retryingFetch({ token, tries, fetch: send });
    const client = createClient<paths>({ baseUrl: this.#url, fetch: this.#fetch });
    const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE') => async (path: string, init?: object) =>
      (await (client[method] as (path: string, init?: object) => Promise<{ data?: unknown }>)(path, init)).data;
    this.get = call('GET') as unknown as Call<'get'>;
    this.post = call('POST') as unknown as Call<'post'>;
    this.patch = call('PATCH') as unknown as Call<'patch'>;
    this.delete = call('DELETE') as unknown as Call<'delete'>;
  }

  /**
   * Everything in a list, page by page as it is asked for: `for await (const pipeline of freshet.all('/v1/pipelines'))`.
   * Rows that are added meanwhile do not move those that are still to come.
   */
  async *all<P extends ListPath>(path: P, parameters?: ListParameters<P>): AsyncGenerator<Item<P>> {
    let cursor: string | null = null;
    do {
      const { query = {}, ...rest } = (parameters ?? {}) as { query?: object };
      const params = { ...rest, query: { ...query, ...(cursor === null ? {} : { cursor }) } };
      const page = (await this.get(path as never, { params } as never)) as unknown as Page<Item<P>>;
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** The run when it is over, whatever its status. @throws FreshetError, or the signal's reason. */
  async waitForRun(id: string, { signal }: WaitOptions = {}): Promise<Run> {
    for (;;) {
      const run = await this.get('/v1/runs/{id}', {
        params: { path: { id }, query: { wait: WAIT_SECONDS } },
        ...(signal ? { signal } : {}),
      });
      if (run.finished_at !== null) return run;
    }
  }

  /** The run each time that it has changed, up to its end; goes on by itself when the connection is lost. @throws FreshetError, or the signal's reason. */
  async *watchRun(id: string, { signal }: WaitOptions = {}): AsyncGenerator<Run> {
    let seen: string | null = null;
    for (;;) {
      const headers = seen === null ? {} : { 'last-event-id': seen };
      const response = await this.#fetch(
        new Request(`${this.#url}/v1/runs/${encodeURIComponent(id)}/events`, {
          headers,
          ...(signal ? { signal } : {}),
        }),
      );
      if (response.status === 204 || response.body === null) return;
      try {
        for await (const { id: eventId, data } of eventsIn(response.body)) {
          seen = eventId;
          const run = JSON.parse(data) as Run;
          yield run;
          if (run.finished_at !== null) return;
        }
      } catch (error) {
        if (signal?.aborted || error instanceof FreshetError) throw error;
        // Cut off in the middle: the next one goes on from what was seen.
      }
    }
  }
}
