import { setTimeout as pause } from 'node:timers/promises';
import {
  AppError,
  type CreditClass,
  type CreditsSpent,
  isJsonObject,
  type Json,
  parseJson,
  RawObject,
  type Span,
  traced,
} from '@freshet/contracts';
import { Pool } from 'undici';
import type { ObjectSpec } from '../catalogue/define.ts';
import type { Account } from './account-url.ts';
import { get, type Headers, type RawResponse } from './get.ts';
import { hasNextIn, header, readResponse } from './response-rules.ts';
import { SourceClock } from './source-clock.ts';
import { Deadlines, type StopSignals, TooSlowError } from './timeouts.ts';

/** The bucket that every call draws from, beside an endpoint's own. */
export const ACCOUNT_BUCKET = 'account';

/** What an answer's headers told of its bucket. Any of them may be missing. */
export interface CreditReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  readonly used: number | null;
}

/** Where credits come from: shared by all workers, owned by the caller. */
export interface Budget {
  /**
   * Resolves when the call may be made.
   * @throws AppError `out_of_credits` with `retryAfterMs` when none will be left for a while.
   */
  take(buckets: readonly string[], credits: number, creditClass: CreditClass): Promise<void>;
  /** Told after every answer that speaks of limits. `readings` is empty when a good answer had no rate-limit headers. */
  learn(readings: readonly CreditReading[]): Promise<void>;
  /** Told of every 429: nobody may call before then. */
  block(retryAfterMs: number): Promise<void>;
}

/** One page of a list. */
export interface ListPage {
  readonly records: readonly ListedRecord[];
  readonly hasNext: boolean;
  /** The query of the next page, where pages are told by tokens. */
  readonly nextQuery?: Readonly<Record<string, string>> | null;
  /** When the server answered, by a clock that orders all readings of an account (`SourceClock`). */
  readonly serverTime: Date;
}

export interface ListedRecord {
  /** The record as it was sent. */
  readonly raw: RawObject;
  /** Why it cannot be loaded; `raw` is what is known of it. Absent: it can. */
  readonly rejected?: string;
}

export interface ClientOptions {
  readonly account: Account;
  readonly apiKey: string;
  readonly budget: Budget;
  /** What the calls are for, unless a call says otherwise. */
  readonly creditClass: CreditClass;
  readonly limits?: Partial<ClientLimits>;
  /** The host is known to be Freshdesk: a response of something in front of it is retried. Absent: the first response decides. */
  readonly isKnownHost?: boolean;
  /** A clock in milliseconds that all workers share; absent: this machine's. */
  readonly now?: () => number;
  /** This machine's clock in milliseconds, if it is another one. */
  readonly localNow?: () => number;
  readonly signals?: StopSignals;
}

export interface ClientLimits {
  /** Connections kept to the account. */
  readonly connections: number;
  /** Milliseconds for a connection to the account. */
  readonly connectMs: number;
  /** Milliseconds from sending a request to the last header of its response, and between two chunks of the body. */
  readonly timeoutMs: number;
  /** Milliseconds that a body may take, whatever its size. */
  readonly bodyMs: number;
  /** A body may take one second more for each of so many bytes received. */
  readonly bytesPerSecondMin: number;
  /** Milliseconds that a slow request may take beyond the end of the caller's time. */
  readonly graceMs: number;
  /** A larger answer is refused, and asked for in parts: a worker's memory must not depend on an account's data. */
  readonly bodyBytesMax: number;
  /** Tries of one call that meets a fault of the server or the network. */
  readonly tries: number;
  /** Pause after the first fault; doubled, with jitter, after each further one. */
  readonly backoffMs: number;
}

const DEFAULT_LIMITS: ClientLimits = {
  connections: 8,
  connectMs: 10_000,
  timeoutMs: 60_000,
  bodyMs: 15_000,
  bytesPerSecondMin: 64 * 1024,
  graceMs: 5000,
  bodyBytesMax: 128 * 1024 * 1024,
  tries: 4,
  backoffMs: 500,
};

/** One record, as its own address answers it. */
export interface ViewedRecord extends ListedRecord {
  readonly serverTime: Date;
}

/** How an answer that is not a list of records is read. */
export type AnswerShape = Pick<ObjectSpec, 'nextQuery'> & { readonly rows: NonNullable<ObjectSpec['rows']> };

/** What the ways of reading need of a client. */
export interface Lists {
  /** @param shape what the answer holds, if it is not a list of records. */
  list(
    path: string,
    query: Readonly<Record<string, string>>,
    cost: CallCost,
    shape?: AnswerShape | null,
  ): Promise<ListPage>;
  view(path: string, query: Readonly<Record<string, string>>, cost: CallCost): Promise<ViewedRecord>;
  /** How far its clocks have been seen to disagree; absent: they agree. */
  readonly clock?: SourceClock;
}

/** Calls the API: one GET at a time, each with its credits, each answer checked before it is believed. */
export class FreshdeskClient implements Lists {
  readonly account: Account;
  readonly #pool: Pool;
  readonly #authorization: string;
  readonly #budget: Budget;
  readonly #creditClass: CreditClass;
  readonly #limits: ClientLimits;
  readonly #deadlines: Deadlines;
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
    const now = options.now ?? Date.now;
    this.clock = new SourceClock(now, options.localNow ?? now);
    this.#authorization = `Basic ${Buffer.from(`${options.apiKey}:X`).toString('base64')}`;
    this.#pool = new Pool(this.account.origin, {
      connections: this.#limits.connections,
      headersTimeout: this.#limits.timeoutMs,
      bodyTimeout: this.#limits.timeoutMs,
      connect: { timeout: this.#limits.connectMs },
    });
  }

  /** Credits spent by this client so far, as answers reported them, or as computed where they did not. */
  get creditsSpent(): CreditsSpent {
    return this.#creditsSpent;
  }

  /** Closes all connections. Requests in flight are aborted: nobody needs their responses. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /**
   * One page of a list.
   * @throws AppError `source_contract` when the answer is not an array of objects.
   */
  async list(
    path: string,
    query: Readonly<Record<string, string>>,
    cost: CallCost,
    shape: AnswerShape | null = null,
  ): Promise<ListPage> {
    const answer = await this.#get(path, query, cost);
    if (shape !== null) {
      const parsed = parse(answer, path);
      // Numbers that a double cannot hold are written as they came.
      const records = shape.rows(parsed).map((fields) => ({ raw: RawObject.of(Buffer.from(JSON.stringify(fields))) }));
      const nextQuery = shape.nextQuery?.(parsed) ?? null;
      return { records, hasNext: nextQuery !== null, nextQuery, serverTime: answer.serverTime };
    }
    const objects = checked(path, () => RawObject.allOf(answer.body));
    if (objects === null) {
      throw new AppError(
        'source_contract',
        `${path} answered with ${describe(parse(answer, path))} where a list of records was expected.`,
      );
    }
    return { records: objects.map((raw) => ({ raw })), hasNext: answer.hasNext, serverTime: answer.serverTime };
  }

  /**
   * One record.
   * @throws AppError `source_not_found` when there is none, `source_contract` when the answer is not an object.
   */
  async view(path: string, query: Readonly<Record<string, string>>, cost: CallCost): Promise<ViewedRecord> {
    const answer = await this.#get(path, query, cost);
    try {
      return { raw: checked(path, () => RawObject.of(answer.body)), serverTime: answer.serverTime };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new AppError(
        'source_contract',
        `${path} answered with ${describe(parse(answer, path))} where one record was expected.`,
      );
    }
  }

  async #get(path: string, query: Readonly<Record<string, string>>, cost: CallCost): Promise<Answer> {
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
        return await this.#traced(target, path, cost);
      } catch (error) {
        const fault = asFault(error, path);
        const isFinal =
          fault.code !== 'source_unavailable' || error instanceof TooSlowError || this.#deadlines.isEnding;
        if (isFinal || attempt >= this.#limits.tries) throw fault;
        await pause(this.#limits.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }

  async #traced(target: string, path: string, cost: CallCost): Promise<Answer> {
    const { hostname } = new URL(this.account.origin);
    // The path as the catalogue has it: ids are many, and who they are is nobody's business.
    const attributes = {
      'http.request.method': 'GET',
      'server.address': hostname,
      'url.template': path.replace(/\/\d+/g, '/{id}'),
    };
    return await traced('GET Freshdesk', { kind: 'CLIENT', attributes }, (span) =>
      this.#once(target, path, cost, span),
    );
  }

  async #once(target: string, path: string, cost: CallCost, span: Span): Promise<Answer> {
    const headers = { authorization: this.#authorization, accept: 'application/json', 'user-agent': 'freshet/0.1' };
    const bytesMax = this.#limits.bodyBytesMax;
    let response: RawResponse;
    try {
      response = await get(this.#pool, target, headers, { deadlines: this.#deadlines, bytesMax });
    } catch (error) {
      // A request that was sent is charged, whether its response arrives or not.
      if (!isUnsent(error)) this.#spend(cost, cost.credits);
      throw error;
    }
    span.setAttribute('http.response.status_code', response.statusCode);
    const isApi = header(response.headers, 'x-freshdesk-api-version') !== '';
    const isJson = header(response.headers, 'content-type').includes('json');
    await this.#account(response.headers, cost, response.statusCode === 200 && isJson);
    this.#isKnownHost ||= isApi;
    let body: Buffer;
    try {
      body = readResponse({ path, response, isKnownHost: this.#isKnownHost, bytesMax });
    } catch (error) {
      if (error instanceof AppError && error.code === 'out_of_credits')
        await this.#budget.block(error.retryAfterMs ?? 0);
      throw error;
    }
    return {
      body,
      hasNext: hasNextIn(header(response.headers, 'link')),
      serverTime: this.clock.read(header(response.headers, 'date')),
    };
  }

  /** @param isFull an answer of the API itself: one without limits has none, where an error of a proxy says nothing of them. */
  async #account(headers: Headers, cost: CallCost, isFull: boolean): Promise<void> {
    const used = decimal(headers, 'x-ratelimit-used-currentrequest');
    const total = decimal(headers, 'x-ratelimit-total');
    const remaining = decimal(headers, 'x-ratelimit-remaining');
    this.#spend(cost, used ?? cost.credits);
    if (total === null) return isFull ? await this.#budget.learn([]) : undefined;
    // Headers describe the tighter bucket of the call: where an endpoint has its own, that one.
    await this.#budget.learn([{ bucket: cost.bucket ?? ACCOUNT_BUCKET, total, remaining, used }]);
  }

  #spend(cost: CallCost, credits: number): void {
    const creditClass = cost.creditClass ?? this.#creditClass;
    this.#creditsSpent = { ...this.#creditsSpent, [creditClass]: (this.#creditsSpent[creditClass] ?? 0) + credits };
  }
}

/** What a call costs and which bucket, beside the account's, pays. */
export interface CallCost {
  readonly credits: number;
  readonly bucket: string | null;
  /** What the call is for; absent: what the client is for. */
  readonly creditClass?: CreditClass | undefined;
}

interface Answer {
  readonly body: Buffer;
  readonly hasNext: boolean;
  readonly serverTime: Date;
}

/** What reads an answer's text; text that is not JSON is a fault of whoever answered. */
function checked<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new AppError('source_unavailable', `${path} answered with text that is not JSON.`, { cause });
  }
}

function parse({ body }: Answer, path: string): Json {
  return checked(path, () => parseJson(body.toString('utf8')));
}

/** Totals have been seen as "50.0", so they are decimal numbers. */
function decimal(headers: Headers, name: string): number | null {
  const text = header(headers, name);
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? null : value;
}

/** Errors of a request that never reached the server. */
function isUnsent(error: unknown): boolean {
  return ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(
    networkCode(error),
  );
}

function networkCode(error: unknown): string {
  return (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? '';
}

/** A failure of the network as `source_unavailable`, with what would help. */
function asFault(error: unknown, path: string): AppError {
  if (error instanceof AppError) return error;
  const code = networkCode(error);
  if (error instanceof TooSlowError) {
    return new AppError(
      'source_unavailable',
      `The response to ${path} arrived too slowly and was aborted: ${error.message}.`,
      { cause: error },
    );
  }
  if (code === 'ENOTFOUND') {
    return new AppError(
      'source_unavailable',
      'The account’s host name does not resolve. Check the subdomain and this machine’s DNS.',
      { cause: error },
    );
  }
  const reason = code || (error instanceof Error ? error.message : String(error));
  return new AppError('source_unavailable', `No complete answer from ${path}: ${reason}.`, { cause: error });
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'a list of something else than records';
  if (isJsonObject(value)) return `an object with the keys ${Object.keys(value).slice(0, 5).join(', ') || '(none)'}`;
  return JSON.stringify(value);
}
