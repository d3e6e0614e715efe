import type { LookupFunction } from 'node:net';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { AppError } from '@freshet/contracts';
import { Agent, request } from 'undici';
import { createDecoder, isSupportedEncoding, parseContentEncoding } from './content-decoder.ts';
import { toSourceError } from './network-errors.ts';
import type { Deadlines, Transfer } from './timeouts.ts';

/** Decides to which addresses this deployment connects. The caller implements it. */
export interface OutboundPolicy {
  /** @throws AppError `address_refused` for a blocked IP address. */
  check(host: string): void;
  /** Works like `dns.lookup`, but fails if the name resolves to a blocked address. */
  readonly lookup: LookupFunction;
}

interface DownloadLimits {
  readonly connectTimeoutMs: number;
  /** The timeout for the headers of a response, and between two chunks of its body. */
  readonly timeoutMs: number;
  /** The maximum size of a file after content decoding. */
  readonly fileBytesMax: number;
}

export interface DownloadOptions {
  /** Null: this deployment downloads no files. */
  readonly policy: OutboundPolicy | null;
  readonly limits: DownloadLimits;
  readonly deadlines: Deadlines;
  /** The account's API uses plain HTTP, so its files may use plain HTTP too. */
  readonly allowsPlainHttp: boolean;
}

const REDIRECTS_MAX = 3;
const HEADER_BYTES_MAX = 16_384;

/**
 * Downloads files from signed URLs, which lie on other hosts than the API. A request contains
 * neither credentials nor cookies, and connects only to addresses that the outbound policy accepts.
 * Redirects are followed under the same rules. A download costs no credits.
 *
 * URLs are secrets, because everyone who has the URL can read the file. No error contains more of a
 * URL than its host.
 */
export class FileDownloader {
  readonly #options: DownloadOptions;
  readonly #agent: Agent | null;

  constructor(options: DownloadOptions) {
    this.#options = options;
    const { policy, limits } = options;
    this.#agent =
      policy === null
        ? null
        : new Agent({
            connect: { lookup: policy.lookup, timeout: limits.connectTimeoutMs },
            headersTimeout: limits.timeoutMs,
            bodyTimeout: limits.timeoutMs,
            maxHeaderSize: HEADER_BYTES_MAX,
          });
  }

  /** Closes all connections and aborts the downloads in progress. */
  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  /**
   * Downloads a file in chunks. The next chunk is received after the caller has processed the
   * previous one, so memory does not depend on the size of the file.
   * @throws AppError `address_refused` for a blocked address; `source_not_found` after status 404;
   * `source_too_large` if the file exceeds the limit; `source_contract` for an invalid URL or
   * content encoding; `source_unavailable` for every other failure, including an expired URL.
   */
  async *download(url: string): AsyncGenerator<Buffer> {
    const transfer = new DownloadTransfer();
    const { deadlines } = this.#options;
    deadlines.throwIfCancelled();
    deadlines.watch(transfer);
    let host = 'the file server';
    try {
      const target = this.#parseUrl(url);
      host = target.host;
      const body = await this.#open(target, transfer);
      yield* this.#readBody(body, host, transfer);
    } catch (error) {
      throw toDownloadError(transfer.failure ?? error, host);
    } finally {
      deadlines.unwatch(transfer);
      transfer.abort();
    }
  }

  /** Requests the file and follows redirects. @returns the decoded body. */
  async #open(first: URL, transfer: DownloadTransfer): Promise<Readable> {
    let target = first;
    for (let redirects = 0; ; redirects++) {
      transfer.startedAt = performance.now();
      const { statusCode, headers, body } = await request(target, {
        dispatcher: this.#agent as Agent,
        headers: { accept: 'application/json, */*', 'user-agent': 'freshet/0.1' },
        signal: transfer.signal,
      });
      if (statusCode === 200) {
        transfer.headersAt = performance.now();
        return decode(body, headers['content-encoding'], target.host);
      }
      // The body of an error response has no further use, and may be endless.
      body.on('error', () => {});
      body.destroy();
      if (statusCode >= 300 && statusCode < 400 && redirects < REDIRECTS_MAX && headers['location'] !== undefined) {
        target = this.#parseUrl(new URL(String(headers['location']), target).href);
        continue;
      }
      const code = statusCode === 404 || statusCode === 410 ? 'source_not_found' : 'source_unavailable';
      const advice = statusCode === 403 ? ' The signed URL has probably expired.' : '';
      throw new AppError(code, `${target.host} returned status ${statusCode} instead of a file.${advice}`);
    }
  }

  async *#readBody(body: Readable, host: string, transfer: DownloadTransfer): AsyncGenerator<Buffer> {
    const { fileBytesMax } = this.#options.limits;
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      transfer.bytes = bytes;
      if (bytes > fileBytesMax)
        throw new AppError('source_too_large', `The file from ${host} has more than ${fileBytesMax} bytes.`);
      const yieldedAt = performance.now();
      yield chunk;
      // The time that the caller needs does not count as time of the transfer.
      if (transfer.headersAt !== null) transfer.headersAt += performance.now() - yieldedAt;
    }
  }

  /** @throws AppError if a connection to the URL is not allowed. */
  #parseUrl(text: string): URL {
    const { policy, allowsPlainHttp } = this.#options;
    if (policy === null || this.#agent === null) throw new AppError('bug', 'This client has no outbound policy.');
    const url = URL.parse(text);
    const isAllowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && allowsPlainHttp);
    if (url === null || !isAllowed || url.username !== '' || url.password !== '') {
      throw new AppError(
        'source_contract',
        `The URL of a file is not an HTTPS URL without a user and a password${url === null ? '' : ` (host ${url.host})`}.`,
      );
    }
    policy.check(url.hostname);
    return url;
  }
}

/** The progress of a download, which the deadlines watch. */
class DownloadTransfer implements Transfer {
  startedAt: number | null = null;
  headersAt: number | null = null;
  bytes = 0;
  /** Why the deadlines aborted the download; null: they did not. */
  failure: Error | null = null;
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly fail = (error: Error): void => {
    this.failure ??= error;
    this.abort();
  };

  abort(): void {
    this.#controller.abort();
  }
}

function decode(body: Readable, header: string | string[] | undefined, host: string): Readable {
  const encodings = parseContentEncoding(header);
  const unknown = encodings.find((name) => !isSupportedEncoding(name));
  if (unknown !== undefined)
    throw new AppError('source_contract', `${host} returned a file with the unknown content encoding "${unknown}".`);
  const decoders: Duplex[] = encodings.toReversed().map((name) => createDecoder(name, null));
  const last = decoders.at(-1);
  if (last === undefined) return body;
  // An error reaches the reader through the last stream, which `pipeline` destroys.
  pipeline([body, ...decoders], () => {});
  return last;
}

function toDownloadError(error: unknown, host: string): AppError {
  const refusal = (error as { cause?: unknown }).cause;
  if (refusal instanceof AppError) return refusal;
  if ((error as { code?: string }).code === 'ENOTFOUND')
    return new AppError('source_unavailable', `The host name ${host} of a file does not resolve.`, { cause: error });
  return toSourceError(error, `the file from ${host}`);
}
