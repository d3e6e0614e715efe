/**
 * A typed client for the Freshet API. It can call every operation of the OpenAPI document by method
 * and path. It adds safe retries, pagination, waiting for a run, and streaming the events of a run.
 *
 *     const freshet = new Freshet({ url: 'http://localhost:8080', token: 'frt_…' });
 *     const run = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id } } });
 *     const finished = await freshet.waitForRun(run.id);
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
import { parseEvents } from './server-sent-events.ts';

export type { components, operations, paths } from './api.ts';
export { FreshetError, type Problem } from './errors.ts';

/** The named schemas of the API, such as `Schemas['Pipeline']`. */
export type Schemas = components['schemas'];
export type Run = Schemas['Run'];

export interface FreshetOptions {
  /** The base URL of the API, such as `https://freshet.example.com`. */
  readonly url: string;
  /** An API token: `frt_…`. */
  readonly token: string;
  /** Attempts per request, including the first (default 4). */
  readonly maxAttempts?: number;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** A page of a list. */
interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

/** The paths whose `GET` returns a page. */
type ListPath = {
  [P in keyof paths]: paths[P] extends {
    get: { responses: { 200: { content: { 'application/json': Page<unknown> } } } };
  }
    ? P
    : never;
}[keyof paths];
type ListGet<P extends ListPath> = paths[P] extends { get: infer G } ? G : never;
type ListItem<P extends ListPath> =
  ListGet<P> extends { responses: { 200: { content: { 'application/json': { data: readonly (infer T)[] } } } } }
    ? T
    : never;
type ListParameters<P extends ListPath> =
  ListGet<P> extends { parameters: infer Q }
    ? { [K in keyof Q as K extends 'query' | 'path' ? K : never]: Q[K] }
    : never;

/**
 * The media type that determines the type of the result: JSON or, if an operation does not return
 * JSON, any other type.
 */
type ResultMedia<T> = T extends { responses: { 200: { content: { 'application/json': unknown } } } }
  ? 'application/json'
  : `${string}/${string}`;

type HttpMethod = 'get' | 'post' | 'patch' | 'delete';
/**
 * Calls an operation by its path template. The path determines the types of `params`, of `body` and
 * of the result. Throws FreshetError if the response has an error status, or if the request
 * received no response.
 */
type Operation<V extends HttpMethod> = <
  P extends ClientPathsWithMethod<Client<paths>, V>,
  Init extends MaybeOptionalInit<paths[P], V>,
>(
  path: P,
  ...init: Record<string, never> extends Init ? [init?: Init] : [init: Init]
) => Promise<
  Extract<
    FetchResponse<paths[P][V] & Record<string | number, unknown>, Init, ResultMedia<paths[P][V]>>,
    { error?: never }
  >['data']
>;

const LONG_POLL_SECONDS = 30;

export class Freshet {
  /** `get('/v1/pipelines/{id}', { params: { path: { id } } })` */
  readonly get: Operation<'get'>;
  readonly post: Operation<'post'>;
  readonly patch: Operation<'patch'>;
  readonly delete: Operation<'delete'>;
  readonly #url: string;
  readonly #fetch: (request: Request) => Promise<Response>;

  constructor({ url, token, maxAttempts = 4, fetch: fetchImplementation = fetch }: FreshetOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#fetch = retryingFetch({ token, maxAttempts, fetch: fetchImplementation });
    const client = createClient<paths>({ baseUrl: this.#url, fetch: this.#fetch });
    const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE') => async (path: string, init?: object) =>
      (await (client[method] as (path: string, init?: object) => Promise<{ data?: unknown }>)(path, init)).data;
    this.get = call('GET') as unknown as Operation<'get'>;
    this.post = call('POST') as unknown as Operation<'post'>;
    this.patch = call('PATCH') as unknown as Operation<'patch'>;
    this.delete = call('DELETE') as unknown as Operation<'delete'>;
  }

  /**
   * Iterates over all items of a list: `for await (const pipeline of
   * freshet.paginate('/v1/pipelines'))`. Each page is fetched when the iteration reaches the page.
   * Items that are created in the meantime do not shift the remaining pages.
   */
  async *paginate<P extends ListPath>(path: P, parameters?: ListParameters<P>): AsyncGenerator<ListItem<P>> {
    let cursor: string | null = null;
    do {
      const { query = {}, ...rest } = (parameters ?? {}) as { query?: object };
      const params = { ...rest, query: { ...query, ...(cursor === null ? {} : { cursor }) } };
      const page = (await this.get(path as never, { params } as never)) as unknown as Page<ListItem<P>>;
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * Waits until the run finishes, and returns the run, even if the run failed.
   * @throws FreshetError, or the signal's reason on abort.
   */
  async waitForRun(id: string, { signal }: WaitOptions = {}): Promise<Run> {
    for (;;) {
      const run = await this.get('/v1/runs/{id}', {
        params: { path: { id }, query: { wait: LONG_POLL_SECONDS } },
        ...(signal ? { signal } : {}),
      });
      if (run.finished_at !== null) return run;
    }
  }

  /**
   * Yields the run after each change, until the run finishes. Reconnects if the connection is lost.
   * @throws FreshetError, or the signal's reason on abort.
   */
  async *watchRun(id: string, { signal }: WaitOptions = {}): AsyncGenerator<Run> {
    let lastEventId: string | null = null;
    for (;;) {
      const headers = lastEventId === null ? {} : { 'last-event-id': lastEventId };
      const response = await this.#fetch(
        new Request(`${this.#url}/v1/runs/${encodeURIComponent(id)}/events`, {
          headers,
          ...(signal ? { signal } : {}),
        }),
      );
      if (response.status === 204 || response.body === null) return;
      try {
        for await (const { id: eventId, data } of parseEvents(response.body)) {
          lastEventId = eventId;
          const run = JSON.parse(data) as Run;
          yield run;
          if (run.finished_at !== null) return;
        }
      } catch (error) {
        if (signal?.aborted || error instanceof FreshetError) throw error;
        // The connection was lost. The next request resumes the stream after the last received
        // event.
      }
    }
  }
}
