import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import type { Dispatcher, Pool } from 'undici';
import type { Deadlines, Transfer } from './timeouts.ts';

export interface RawResponse {
  readonly statusCode: number;
  readonly headers: Headers;
  /** Decoded by the response's content encoding, and cut off after the limit. */
  readonly body: Buffer;
  /** The body was larger than allowed and not read to its end. */
  readonly isTruncated: boolean;
  /** The body could not be decoded; null: it could. */
  readonly encodingError: { readonly encoding: string; readonly isKnown: boolean; readonly reason: string } | null;
}

/** A response's headers, by their names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface GetOptions {
  readonly deadlines: Deadlines;
  /** Largest decoded body of a response with status 200. */
  readonly bytesMax: number;
}

/** An error's body is for its message only. */
const ERROR_BYTES_MAX = 64 * 1024;
/** Of a body that is too large, the beginning is kept: it shows whether a list was sent. */
const START_BYTES = 64;

/**
 * Sends one GET and collects the whole response as bytes. Without a stream around each response, thousands of small responses
 * a second cost half as much; only an encoded body passes through one.
 * @throws the network's error when the response is incomplete, `TooSlowError` when it exceeds a deadline.
 */
export function get(
  pool: Pool,
  path: string,
  headers: Record<string, string>,
  { deadlines, bytesMax }: GetOptions,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let statusCode = 0;
    let received: Headers = {};
    let controller: Dispatcher.DispatchController | null = null;
    let failure: Error | null = null;
    let decoder: Decoder | null = null;
    let bytesAllowed = ERROR_BYTES_MAX;
    let isDone = false;
    let isReceived = false;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const transfer: Transfer = {
      startedAt: null,
      headersAt: null,
      bytes: 0,
      fail: (error) => {
        failure = error;
        settle(() => reject(error));
      },
    };
    /** Ends the request, and resolves or rejects; whatever happens afterwards is ignored. */
    const settle = (end: () => void) => {
      if (isDone) return;
      isDone = true;
      deadlines.unwatch(transfer);
      end();
      decoder?.destroy();
      if (controller !== null && !isReceived && !controller.aborted)
        controller.abort(failure ?? new Error('The response is not needed any more.'));
    };
    const finish = (body: Buffer, isTruncated: boolean, encodingError: RawResponse['encodingError'] = null) =>
      settle(() => resolve({ statusCode, headers: received, body, isTruncated, encodingError }));
    /** @returns whether more may come. */
    const keep = (chunk: Buffer): boolean => {
      bytes += chunk.length;
      if (bytes <= bytesAllowed) {
        chunks.push(chunk);
        return true;
      }
      const start = statusCode === 200 ? START_BYTES : ERROR_BYTES_MAX;
      finish(Buffer.concat([...chunks.slice(0, 8), chunk]).subarray(0, start), true);
      return false;
    };
    const complete = () => finish(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes), false);
    const handler: Dispatcher.DispatchHandler = {
      // undici takes a handler for one of its present kind by this.
      onRequestStart(started) {
        controller = started;
        transfer.startedAt = performance.now();
        if (isDone) started.abort(failure ?? new Error('The response is not needed any more.'));
      },
      onResponseStart(started, status, responseHeaders) {
        if (status < 200 || isDone) return;
        statusCode = status;
        received = responseHeaders as Headers;
        transfer.headersAt = performance.now();
        if (status === 200) bytesAllowed = bytesMax;
        const encodings = encodingsIn(received['content-encoding']);
        if (encodings.length === 0) return;
        const unknown = encodings.find((name) => !isKnownEncoding(name));
        if (unknown !== undefined)
          return finish(Buffer.alloc(0), false, { encoding: unknown, isKnown: false, reason: 'unknown' });
        decoder = new Decoder(encodings, {
          keep,
          complete,
          resume: () => started.resume(),
          fail: (error) =>
            finish(Buffer.alloc(0), false, {
              encoding: encodings.join(', '),
              isKnown: true,
              reason: error.code ?? error.message,
            }),
        });
      },
      onResponseData(started, chunk) {
        if (isDone) return;
        transfer.bytes += chunk.length;
        if (decoder === null) keep(chunk);
        else if (!decoder.write(chunk)) started.pause();
      },
      onResponseEnd() {
        isReceived = true;
        if (decoder === null) complete();
        else decoder.end();
      },
      onResponseError(_controller, error) {
        settle(() => reject(failure ?? error));
      },
    };
    deadlines.watch(transfer);
    pool.dispatch({ method: 'GET', path, headers }, handler);
  });
}

interface DecoderEvents {
  readonly keep: (chunk: Buffer) => boolean;
  readonly complete: () => void;
  readonly resume: () => void;
  readonly fail: (error: NodeJS.ErrnoException) => void;
}

/** Decodes a body while it arrives, so that a small body that decodes to a huge one is cut off at the limit. */
class Decoder {
  readonly #encodings: readonly string[];
  readonly #events: DecoderEvents;
  #stages: Duplex[] | null = null;
  #isDestroyed = false;

  /** @param encodings in the order in which they were applied. */
  constructor(encodings: readonly string[], events: DecoderEvents) {
    this.#encodings = encodings;
    this.#events = events;
  }

  /** @returns false when the sender should pause until `resume` is called. */
  write(chunk: Buffer): boolean {
    if (this.#isDestroyed) return true;
    this.#stages ??= this.#connect(chunk);
    return this.#stages[0]?.write(chunk) ?? true;
  }

  end(): void {
    // An empty body needs no decoding.
    if (this.#stages === null) this.#events.complete();
    else this.#stages[0]?.end();
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const stage of this.#stages ?? []) stage.destroy();
  }

  /** @param first the first chunk: it shows which of its two formats `deflate` has. */
  #connect(first: Buffer): Duplex[] {
    const stages = this.#encodings.toReversed().map((name, i) => decoderFor(name, i === 0 ? first : null));
    for (const [i, stage] of stages.entries()) {
      stage.on('error', (error) => {
        if (!this.#isDestroyed) this.#events.fail(error);
      });
      const next = stages[i + 1];
      if (next !== undefined) stage.pipe(next);
    }
    const last = stages.at(-1) as Readable;
    last.on('data', (chunk: Buffer) => {
      if (!this.#isDestroyed) this.#events.keep(chunk);
    });
    last.on('end', () => {
      if (!this.#isDestroyed) this.#events.complete();
    });
    stages[0]?.on('drain', () => this.#events.resume());
    return stages;
  }
}

function decoderFor(encoding: string, first: Buffer | null): Duplex {
  switch (encoding) {
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      // Some servers send the raw format. The zlib format begins with a byte whose low half is 8.
      return first !== null && ((first[0] ?? 8) & 15) !== 8 ? createInflateRaw() : createInflate();
    default:
      return createGunzip();
  }
}

function isKnownEncoding(name: string): boolean {
  return ['gzip', 'x-gzip', 'deflate', 'br', 'zstd'].includes(name);
}

function encodingsIn(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}
