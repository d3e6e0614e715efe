import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { type Column, type CreditsSpent, encodeBatchLine } from '@freshet/contracts';
import type { ObjectRunLease, Step } from '@freshet/control-store';
import type { Page } from '@freshet/freshdesk-extractor';

const compress = promisify(zstdCompress);

/**
 * A batch is flushed when it reaches this uncompressed size, which limits the memory of a slice.
 * Extraction would wait for the commits of much smaller batches, which can take longer than the
 * extraction of their pages.
 */
const BATCH_BYTES = 3 * 1024 * 1024;
/**
 * A batch is flushed when it reaches this age, so that progress is visible and a killed worker
 * loses little.
 */
const BATCH_AGE_MS = 1000;
/**
 * The minimum size of the chunks in which the compressed output is collected. The chunk size is a
 * quarter of the size of the input, but at least this minimum, because each chunk costs a round
 * trip to the thread pool.
 */
const OUTPUT_CHUNK_BYTES_MIN = 64 * 1024;
const LINE_BREAK = 10;
/** A buffer up to this size is reused for the next batch. A larger buffer is released. */
const REUSED_BUFFER_BYTES_MAX = BATCH_BYTES + 1024 * 1024;

type BufferedPage = Omit<Page, 'lines'>;

interface StepParts {
  readonly credits: CreditsSpent;
  readonly customColumns: readonly Column[] | null;
  /** The coverage once the step is loaded. Null: unchanged. */
  readonly coverage: Step['coverage'];
  /**
   * The progress once the step is committed, from 0 to 1. Null: the estimate of the last page that
   * contains an estimate.
   */
  readonly progress: number | null;
  /** The object run has no further pages. */
  readonly isLast: boolean;
}

/**
 * Collects the pages of one step. Pages from a slow account are flushed one by one. Pages from a
 * fast account are flushed together.
 */
export class StepBuffer {
  readonly #lease: ObjectRunLease;
  #pages: BufferedPage[] = [];
  #firstPageAt = 0;
  /**
   * The lines of the buffered pages. The lines are copied so that the responses can be
   * garbage-collected.
   */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** The buffer of a flushed batch, for reuse. */
  #spareBuffer: Buffer | null = null;

  constructor(lease: ObjectRunLease) {
    this.#lease = lease;
  }

  get isEmpty(): boolean {
    return this.#pages.length === 0;
  }

  /**
   * Returns whether the page can be added to the buffered pages. All pages of a batch must have the
   * same generation.
   */
  hasRoomFor(page: Page): boolean {
    const first = this.#pages[0];
    return first === undefined || first.generation === page.generation;
  }

  add({ lines, ...page }: Page): void {
    if (this.#pages.length === 0) this.#firstPageAt = performance.now();
    this.#pages.push(page);
    this.#append(lines);
  }

  get shouldFlush(): boolean {
    return (
      this.#length >= BATCH_BYTES ||
      performance.now() - this.#firstPageAt >= BATCH_AGE_MS ||
      (this.#pages.at(-1)?.isLast ?? false)
    );
  }

  /** The number of queue units that the buffered pages have completed or marked as failed. */
  get units(): number {
    return this.#pages.reduce((sum, page) => sum + page.completedUnits.length + page.failedUnits.length, 0);
  }

  /** The number of records in the buffered pages. */
  get records(): number {
    return this.#pages.reduce((sum, page) => sum + page.recordCount, 0);
  }

  /** The coverage of the latest buffered page that contains coverage. */
  get coverage(): Page['coverage'] {
    return this.#pages.findLast((page) => page.coverage !== null)?.coverage ?? null;
  }

  /**
   * Empties the buffer into one step. The position of the last page is the position of the step.
   */
  async takeStep({ credits, customColumns, coverage, progress, isLast }: StepParts): Promise<Step> {
    const pages = this.#pages;
    const last = pages.at(-1) as BufferedPage;
    if (coverage !== null) {
      // The coverage is the last line of the batch, so that the coverage is loaded after the
      // records.
      const times = {
        complete_as_of: coverage.completeAsOf?.toISOString() ?? null,
        complete_back_to: coverage.completeBackTo?.toISOString() ?? null,
      };
      this.#append([encodeBatchLine({ reached: { run_id: this.#lease.runId, ...times } })]);
    }
    const { body, rawBytes } = await this.#compressLines();
    return {
      position: last.position,
      customColumns,
      batch:
        body === null
          ? null
          : {
              body,
              rawBytes,
              records: pages.reduce((sum, page) => sum + page.recordCount, 0),
              generation: last.generation,
              // The time of the oldest page. Every record was extracted at this time or later.
              extractedAt: (pages[0] as BufferedPage).extractedAt,
            },
      erasedKeys: pages.flatMap((page) => page.erasedKeys),
      childWork: pages.flatMap((page) => page.childWork),
      completedUnits: pages.flatMap((page) => page.completedUnits),
      failedUnits: pages.flatMap((page) => page.failedUnits),
      progress: progress ?? pages.findLast((page) => page.progress !== null)?.progress ?? null,
      credits,
      coverage,
      isLast,
    };
  }

  /**
   * Compresses the buffered lines. The buffer is reset first, so that pages can be added during the
   * compression.
   */
  async #compressLines(): Promise<{ readonly body: Buffer | null; readonly rawBytes: number }> {
    const bytes = this.#bytes;
    const raw = bytes.subarray(0, this.#length);
    this.#pages = [];
    this.#length = 0;
    this.#bytes = this.#spareBuffer ?? Buffer.alloc(0);
    this.#spareBuffer = null;
    const chunkSize = Math.max(OUTPUT_CHUNK_BYTES_MIN, raw.length >> 2);
    const body = raw.length === 0 ? null : await compress(raw, { chunkSize });
    if (bytes.length <= REUSED_BUFFER_BYTES_MAX) this.#spareBuffer = bytes;
    return { body, rawBytes: raw.length };
  }

  #append(lines: Page['lines']): void {
    let length = this.#length + lines.length;
    for (const line of lines) for (const piece of line) length += piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(length, Math.min(this.#bytes.length * 2, REUSED_BUFFER_BYTES_MAX)),
      );
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    for (const line of lines) {
      for (const piece of line) {
        this.#bytes.set(piece, this.#length);
        this.#length += piece.length;
      }
      this.#bytes[this.#length++] = LINE_BREAK;
    }
  }
}
