import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type CreditClass, type CreditsSpent, type Span, withSpan } from '@freshet/contracts';
import { Pool } from 'undici';
import type { Account } from './account-url.ts';
import { ACCOUNT_BUCKET, type CreditBudget, type RequestCost, readRateLimit } from './credit-budget.ts';
import { FileDownloader, type OutboundPolicy } from './file-download.ts';
import { get, type RawResponse } from './get.ts';
import { getHeader, hasNextLink, isFromApi } from './headers.ts';
import { isUnsent, toSourceError } from './network-errors.ts';
import {
  type ApiResponse,
  type FetchedRecord,
  type ListPage,
  parsePage,
  parseRecord,
  type ResponseShape,
} from './response-parser.ts';
import { readResponse } from './response-rules.ts';
import { SourceClock } from './source-clock.ts';
import { Deadlines, type StopSignals, TooSlowError } from './timeouts.ts';

export interface ClientOptions {
  readonly account: Account;
  readonly apiKey: string;
  readonly budget: CreditBudget;
  /** The credit class of requests that do not specify one. */
  readonly creditClass: CreditClass;
  readonly limits?: Partial<ClientLimits>;
  /**
   * The host is known to be Freshdesk, so a request is retried if a system in front of the API
   * responds to it. Absent: the host becomes known with its first response from the API.
   */
  readonly isKnownHost?: boolean;
  /**
   * The current time in milliseconds, according to a clock that all workers share. Absent: this
   * machine's clock is used.
   */
  readonly now?: () => number;
  /**
   * The current time in milliseconds, according to this machine's clock. Set if `now` uses a
   * different clock.
   */
  readonly localNow?: () => number;
  readonly signals?: StopSignals;
  /**
   * The addresses from which files are downloaded. Absent: the client downloads no files.
   */
  readonly outboundPolicy?: OutboundPolicy;
}

export interface ClientLimits {
  /** The maximum number of open connections to the account. */
  readonly connections: number;
  /** The timeout for opening a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /**
   * The timeout for the headers of a response, and between two chunks of its body, in milliseconds.
   */
  readonly timeoutMs: number;
  /** The time that a body may take regardless of its size, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** The minimum transfer rate: a body may take one more second for each of this many bytes. */
  readonly bytesPerSecondMin: number;
  /** The time that a slow request may take after the stop signal, in milliseconds. */
  readonly graceMs: number;
  /**
   * The maximum size of a body. Larger pages are read in parts, so that memory does not depend on
   * an account's data.
   */
  readonly bodyBytesMax: number;
  /**
   * The maximum size of a downloaded file. Files are processed while they arrive, so memory hardly
   * depends on their size.
   */
  readonly fileBytesMax: number;
  /** The maximum number of attempts of a request that fails with a transient error. */
  readonly attemptsMax: number;
  /**
   * The delay after the first failed attempt, in milliseconds. The delay has jitter, and doubles
   * after each further failed attempt.
   */
  readonly backoffMs: number;
}

const DEFAULT_LIMITS: ClientLimits = {
  connections: 8,
  connectTimeoutMs: 10_000,
  timeoutMs: 60_000,
  bodyTimeoutMs: 15_000,
  bytesPerSecondMin: 64 * 1024,
  graceMs: 5000,
  bodyBytesMax: 128 * 1024 * 1024,
  fileBytesMax: 512 * 1024 * 1024,
  attemptsMax: 4,
  backoffMs: 500,
};

/** The requests that the extraction strategies need. */
export interface RecordSource {
  /** @param shape how to parse a response that is not a plain list of records. */
  list(
    path: string,
    query: Readonly<Record<string, string>>,
    cost: RequestCost,
    shape?: ResponseShape | null,
  ): Promise<ListPage>;
  get(path: string, query: Readonly<Record<string, string>>, cost: RequestCost): Promise<FetchedRecord>;
  /**
   * Downloads a file from a signed URL, in chunks and without credentials. Absent: the source has
   * no files.
   */
  download?(url: string): AsyncGenerator<Buffer>;
  /** Compares the account's clock with other clocks. Absent: the clocks are assumed to agree. */
  readonly clock?: SourceClock;
}

/**
 * Sends requests to one account: takes credits from the budget, retries transient errors with
 * backoff, and validates each response.
 */
export class FreshdeskClient implements RecordSource {
  readonly account: Account;
  readonly #pool: Pool;
  readonly #hostname: string;
  readonly #authorization: string;
  readonly #budget: CreditBudget;
  readonly #creditClass: CreditClass;
  readonly #limits: ClientLimits;
  readonly #deadlines: Deadlines;
  readonly #files: FileDownloader;
  readonly clock: SourceClock;
  #isKnownHost: boolean;
  #creditsSpent: CreditsSpent = {};

  constructor(options: ClientOptions) {
    this.account = options.account;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#budget = options.budget;
    this.#creditClass = options.creditClass;
    this.#isKnownHost = options.isKnownHost ?? false;
    this.#deadlines = new Deadlines(this.#limits, options.signals ?? {});
    this.#files = new FileDownloader({
      policy: options.outboundPolicy ?? null,
      limits: this.#limits,
      deadlines: this.#deadlines,
      allowsPlainHttp: this.account.origin.startsWith('http:'),
    });
    const now = options.now ?? Date.now;
    this.clock = new SourceClock(now, options.localNow ?? now);
    this.#authorization = `Basic ${Buffer.from(`${options.apiKey}:X`).toString('base64')}`;
    this.#hostname = new URL(this.account.origin).hostname;
    this.#pool = new Pool(this.account.origin, {
      connections: this.#limits.connections,
      headersTimeout: this.#limits.timeoutMs,
      bodyTimeout: this.#limits.timeoutMs,
      connect: { timeout: this.#limits.connectTimeoutMs },
    });
  }

  /**
   * The credits that this client has spent. A request whose response did not report its credits
   * counts at the documented price.
   */
  get creditsSpent(): CreditsSpent {
    return this.#creditsSpent;
  }

  /** Closes all connections and aborts the requests in flight. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#files.close()]);
  }

  /**
   * Requests one page of a list.
   * @throws AppError `out_of_credits` if the budget has no credits or Freshdesk returns status 429;
   * `source_auth` if the API key is rejected or the account is suspended; `source_forbidden` if the
   * key has no permission; `source_not_in_plan` if the plan lacks the feature; `source_not_found`
   * after status 404 or 410; `source_invalid_request` if Freshdesk rejects the request for a
   * different reason; `source_too_large` if the body exceeds the limit; `source_contract` if the
   * response is not an array of JSON objects, or if its content encoding is unknown;
   * `source_not_freshdesk` if neither this response nor an earlier response of the host came from
   * the Freshdesk API; `source_unavailable` if the last attempt fails with a transient error, or if
   * the response is invalid JSON.
   */
  async list(
    path: string,
    query: Readonly<Record<string, string>>,
    cost: RequestCost,
    shape: ResponseShape | null = null,
  ): Promise<ListPage> {
    return parsePage(await this.#request(path, query, cost), shape);
  }

  /**
   * Requests one record.
   * @throws AppError `source_not_found` if the record does not exist; `source_contract` if the
   * response is not a JSON object, or if its content encoding is unknown; other codes for the same
   * reasons as in {@link list}.
   */
  async get(path: string, query: Readonly<Record<string, string>>, cost: RequestCost): Promise<FetchedRecord> {
    return parseRecord(await this.#request(path, query, cost));
  }

  /**
   * Downloads a file from a signed URL on another host, without credentials and credits.
   * @throws AppError see {@link FileDownloader.download}.
   */
  download(url: string): AsyncGenerator<Buffer> {
    return this.#files.download(url);
  }

  async #request(path: string, query: Readonly<Record<string, string>>, cost: RequestCost): Promise<ApiResponse> {
    const search = new URLSearchParams(query).toString();
    const target = search === '' ? path : `${path}?${search}`;
    for (let attempt = 1; ; attempt++) {
      this.#deadlines.throwIfCancelled();
      await this.#budget.take(
        cost.bucket === null ? [ACCOUNT_BUCKET] : [ACCOUNT_BUCKET, cost.bucket],
        cost.credits,
        cost.creditClass ?? this.#creditClass,
      );
      try {
        return await this.#sendTraced(target, path, cost);
      } catch (error) {
        const sourceError = toSourceError(error, path);
        const isFinal =
          sourceError.code !== 'source_unavailable' || error instanceof TooSlowError || this.#deadlines.isStopping;
        if (isFinal || attempt >= this.#limits.attemptsMax) throw sourceError;
        await sleep(this.#limits.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }

  async #sendTraced(target: string, path: string, cost: RequestCost): Promise<ApiResponse> {
    const attributes = {
      'http.request.method': 'GET',
      'server.address': this.#hostname,
      // Ids are replaced, because each id would create a separate time series, and ids may identify
      // people.
      'url.template': path.replace(/\/\d+/g, '/{id}'),
    };
    return await withSpan('GET Freshdesk', { kind: 'CLIENT', attributes }, (span) =>
      this.#send(target, path, cost, span),
    );
  }

  async #send(target: string, path: string, cost: RequestCost, span: Span): Promise<ApiResponse> {
    const headers = { authorization: this.#authorization, accept: 'application/json', 'user-agent': 'freshet/0.1' };
    const bytesMax = this.#limits.bodyBytesMax;
    let response: RawResponse;
    try {
      response = await get(this.#pool, target, headers, { deadlines: this.#deadlines, bytesMax });
    } catch (error) {
      // Freshdesk charges every request that it receives, even if the response is lost.
      if (!isUnsent(error)) this.#addSpent(cost, cost.credits);
      throw error;
    }
    span.setAttribute('http.response.status_code', response.statusCode);
    await this.#updateBudget(response, cost);
    this.#isKnownHost ||= isFromApi(response.headers);
    let body: Buffer;
    try {
      body = readResponse({ path, response, isKnownHost: this.#isKnownHost, bytesMax });
    } catch (error) {
      if (error instanceof AppError && error.code === 'out_of_credits')
        await this.#budget.block(error.retryAfterMs ?? 0);
      throw error;
    }
    return {
      path,
      body,
      hasNext: hasNextLink(response.headers),
      serverTime: this.clock.observe(getHeader(response.headers, 'date')),
    };
  }

  async #updateBudget({ headers, statusCode }: RawResponse, cost: RequestCost): Promise<void> {
    const reading = readRateLimit(headers, cost.bucket);
    this.#addSpent(cost, reading.used ?? cost.credits);
    if (reading.total !== null) return await this.#budget.learn([reading]);
    // A JSON response without rate-limit headers means that the account has no rate limit. The
    // error page of a proxy contains no information about limits.
    if (statusCode === 200 && getHeader(headers, 'content-type').includes('json')) await this.#budget.learn([]);
  }

  #addSpent(cost: RequestCost, credits: number): void {
    const creditClass = cost.creditClass ?? this.#creditClass;
    this.#creditsSpent = { ...this.#creditsSpent, [creditClass]: (this.#creditsSpent[creditClass] ?? 0) + credits };
  }
}
