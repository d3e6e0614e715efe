import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';

export interface DecoderEvents {
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => void;
  /** The decoder accepts data again after `write` returned false. */
  readonly onDrain: () => void;
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

/**
 * Decodes a body while it arrives, so that a small body that expands to a huge body is cut off at
 * the limit.
 */
export class ContentDecoder {
  readonly #encodings: readonly string[];
  readonly #events: DecoderEvents;
  #stages: Duplex[] | null = null;
  #isDestroyed = false;

  /**
   * @param encodings supported content encodings, in the order in which the server applied them.
   */
  constructor(encodings: readonly string[], events: DecoderEvents) {
    this.#encodings = encodings;
    this.#events = events;
  }

  /** @returns false if the sender should pause until `onDrain` is called. */
  write(chunk: Buffer): boolean {
    if (this.#isDestroyed) return true;
    this.#stages ??= this.#connect(chunk);
    return this.#stages[0]?.write(chunk) ?? true;
  }

  end(): void {
    // An empty body needs no decoding.
    if (this.#stages === null) this.#events.onEnd();
    else this.#stages[0]?.end();
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const stage of this.#stages ?? []) stage.destroy();
  }

  /** @param first the first chunk. It shows which of the two `deflate` formats the body has. */
  #connect(first: Buffer): Duplex[] {
    const stages = this.#encodings.toReversed().map((name, i) => createDecoder(name, i === 0 ? first : null));
    for (const [i, stage] of stages.entries()) {
      stage.on('error', (error) => {
        if (!this.#isDestroyed) this.#events.onError(error);
      });
      const next = stages[i + 1];
      if (next !== undefined) stage.pipe(next);
    }
    const last = stages.at(-1) as Readable;
    last.on('data', (chunk: Buffer) => {
      if (!this.#isDestroyed) this.#events.onData(chunk);
    });
    last.on('end', () => {
      if (!this.#isDestroyed) this.#events.onEnd();
    });
    stages[0]?.on('drain', () => this.#events.onDrain());
    return stages;
  }
}

export function isSupportedEncoding(name: string): boolean {
  return ['gzip', 'x-gzip', 'deflate', 'br', 'zstd'].includes(name);
}

/** Parses a `Content-Encoding` header. `identity` is omitted. */
export function parseContentEncoding(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}

/**
 * Creates the stream that decodes one content encoding.
 * @param first the first chunk, which shows which `deflate` format a body has; null: the standard
 * format.
 */
export function createDecoder(encoding: string, first: Buffer | null): Duplex {
  switch (encoding) {
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      // Some servers send the raw format. The first byte of the zlib format has 8 in its lower
      // half.
      return first !== null && ((first[0] ?? 8) & 15) !== 8 ? createInflateRaw() : createInflate();
    default:
      return createGunzip();
  }
}
