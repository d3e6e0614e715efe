import type { Dispatcher, Pool } from 'undici';
import { ContentDecoder, isSupportedEncoding, parseContentEncoding } from './content-decoder.ts';
import type { Headers } from './headers.ts';
import type { Deadlines, Transfer } from './timeouts.ts';

export interface RawResponse {
  readonly statusCode: number;
  readonly headers: Headers;
  /** The body after content decoding, cut off at the limit. */
  readonly body: Buffer;
  /** The body exceeded the limit, and the rest of the body was not received. */
  readonly isTruncated: boolean;
  /** The reason why the body could not be decoded; null if decoding succeeded. */
  readonly encodingError: EncodingError | null;
}

interface EncodingError {
  readonly encoding: string;
  /** Freshet supports the encoding. The decoding failed because the body is damaged. */
  readonly isKnown: boolean;
  readonly reason: string;
}

export interface GetOptions {
  readonly deadlines: Deadlines;
  /** The maximum size of the decoded body of a response with status 200. */
  readonly bytesMax: number;
}

/** The maximum size of the body of an error response. Only the error message is read from it. */
const ERROR_BYTES_MAX = 64 * 1024;
/**
 * The number of bytes that are kept of a truncated body. These bytes show whether the body is a
 * list.
 */
const TRUNCATED_BYTES = 64;

/**
 * Sends a GET request and collects the complete response in memory. Only an encoded body passes
 * through a stream. There may be thousands of small responses per second, and a stream for each
 * would double their cost.
 * @throws the network error if the response is incomplete; `TooSlowError` if the response exceeds a
 * deadline.
 */
export function get(
  pool: Pool,
  path: string,
  headers: Record<string, string>,
  { deadlines, bytesMax }: GetOptions,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const collector = new ResponseCollector({ deadlines, bytesMax, resolve, reject });
    deadlines.watch(collector.transfer);
    pool.dispatch({ method: 'GET', path, headers }, collector);
  });
}

interface CollectorOptions extends GetOptions {
  readonly resolve: (response: RawResponse) => void;
  readonly reject: (error: Error) => void;
}

class ResponseCollector implements Dispatcher.DispatchHandler {
  readonly transfer: Transfer;
  readonly #options: CollectorOptions;
  #statusCode = 0;
  #headers: Headers = {};
  #bytesAllowed = ERROR_BYTES_MAX;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #decoder: ContentDecoder | null = null;
  #failure: Error | null = null;
  #isSettled = false;
  #isReceived = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.transfer = {
      startedAt: null,
      headersAt: null,
      bytes: 0,
      fail: (error) => {
        this.#failure = error;
        this.#settle(() => options.reject(error));
      },
    };
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.transfer.startedAt = performance.now();
    if (this.#isSettled) controller.abort(this.#abortReason());
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (statusCode < 200 || this.#isSettled) return;
    this.#statusCode = statusCode;
    this.#headers = headers;
    this.transfer.headersAt = performance.now();
    if (statusCode === 200) this.#bytesAllowed = this.#options.bytesMax;
    const encodings = parseContentEncoding(headers['content-encoding']);
    if (encodings.length === 0) return;
    const unsupported = encodings.find((name) => !isSupportedEncoding(name));
    if (unsupported !== undefined)
      return this.#finishUndecoded({ encoding: unsupported, isKnown: false, reason: 'unknown' });
    this.#decoder = new ContentDecoder(encodings, {
      onData: (chunk) => this.#append(chunk),
      onEnd: () => this.#complete(),
      onDrain: () => controller.resume(),
      onError: (error) =>
        this.#finishUndecoded({
          encoding: encodings.join(', '),
          isKnown: true,
          reason: error.code ?? error.message,
        }),
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.transfer.bytes += chunk.length;
    if (this.#decoder === null) this.#append(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#isReceived = true;
    if (this.#decoder === null) this.#complete();
    else this.#decoder.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle(() => this.#options.reject(this.#failure ?? error));
  }

  #append(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#bytesAllowed) {
      this.#chunks.push(chunk);
      return;
    }
    const start = this.#statusCode === 200 ? TRUNCATED_BYTES : ERROR_BYTES_MAX;
    this.#finish(Buffer.concat([...this.#chunks.slice(0, 8), chunk]).subarray(0, start), true);
  }

  #complete(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#finish(body, false);
  }

  #finishUndecoded(encodingError: EncodingError): void {
    this.#finish(Buffer.alloc(0), false, encodingError);
  }

  #finish(body: Buffer, isTruncated: boolean, encodingError: EncodingError | null = null): void {
    const { resolve } = this.#options;
    this.#settle(() =>
      resolve({ statusCode: this.#statusCode, headers: this.#headers, body, isTruncated, encodingError }),
    );
  }

  /**
   * Resolves or rejects the promise, and aborts a request that is still in flight. Later events are
   * ignored.
   */
  #settle(end: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.deadlines.unwatch(this.transfer);
    end();
    this.#decoder?.destroy();
    if (this.#controller !== null && !this.#isReceived && !this.#controller.aborted)
      this.#controller.abort(this.#abortReason());
  }

  #abortReason(): Error {
    return this.#failure ?? new Error('The response is no longer needed.');
  }
}
