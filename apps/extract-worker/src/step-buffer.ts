import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { batchLine, type Column, type CreditsSpent } from '@freshet/contracts';
import type { Claim, Step } from '@freshet/control-store';
import type { Page } from '@freshet/freshdesk-extractor';

const compress = promisify(zstdCompress);

/** A batch is stored when it is this large, uncompressed: the loader takes several, and memory stays bounded. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** … or when its first page has waited so long: somebody watches, and a killed worker should lose little. */
const BATCH_AGE_MS = 1000;
/** Compressed output is collected in pieces of a quarter of the input, at least this large: each piece is a round trip to another thread. */
const OUTPUT_BYTES_MIN = 64 * 1024;
const LINE_BREAK = 10;
/** What one batch has needed is kept for the next, up to here: memory is for batches as they usually are. */
const KEPT_BYTES_MAX = BATCH_BYTES + 1024 * 1024;

type Kept = Omit<Page, 'lines'>;

/** Pages on their way into one step: a slow account stores each page, a fast one several together. */
export class StepBuffer {
  readonly #claim: Claim;
  #pages: Kept[] = [];
  #since = 0;
  /** The lines that wait, one after the other: whatever answer they came in can go. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Of a batch that was stored: to be used again. */
  #spare: Buffer | null = null;

  constructor(claim: Claim) {
    this.#claim = claim;
  }

  get isEmpty(): boolean {
    return this.#pages.length === 0;
  }

  /** Whether a page can join those that wait: a batch belongs to one generation. */
  takes(page: Page): boolean {
    const first = this.#pages[0];
    return first === undefined || first.generation === page.generation;
  }

  add({ lines, ...page }: Page): void {
    if (this.#pages.length === 0) this.#since = performance.now();
    this.#pages.push(page);
    this.#append(lines);
  }

  get isDue(): boolean {
    return (
      this.#length >= BATCH_BYTES ||
      performance.now() - this.#since >= BATCH_AGE_MS ||
      (this.#pages.at(-1)?.finished ?? false)
    );
  }

  /**
   * Everything that waits, as one step. Its last page's position stands for all of them.
   * @param reached how far the reading has come with them; null: no further.
   * @param progress share of the reading that is done with them, from 0 to 1; null: as the last page says.
   */
  async take(
    credits: CreditsSpent,
    customColumns: readonly Column[] | null,
    reached: Step['reached'],
    progress: number | null,
    finished: boolean,
  ): Promise<Step> {
    const pages = this.#pages;
    const last = pages.at(-1) as Kept;
    if (reached !== null) {
      // Travels as the last line, so that it reaches the warehouse after all that it speaks of.
      const times = {
        complete_as_of: reached.completeAsOf?.toISOString() ?? null,
        complete_back_to: reached.completeBackTo?.toISOString() ?? null,
      };
      this.#append([batchLine({ reached: { run_id: this.#claim.runId, ...times } })]);
    }
    const bytes = this.#bytes;
    const raw = bytes.subarray(0, this.#length);
    this.#pages = [];
    this.#length = 0;
    this.#bytes = this.#spare ?? Buffer.alloc(0);
    this.#spare = null;
    const body =
      raw.length === 0 ? null : await compress(raw, { chunkSize: Math.max(OUTPUT_BYTES_MIN, raw.length >> 2) });
    if (bytes.length <= KEPT_BYTES_MAX) this.#spare = bytes;
    return {
      position: last.position,
      customColumns,
      batch:
        body === null
          ? null
          : {
              body,
              rawBytes: raw.length,
              records: pages.reduce((sum, page) => sum + page.records, 0),
              generation: last.generation,
              // The oldest of the pages: none of these records is younger than it says.
              extractedAt: (pages[0] as Kept).extractedAt,
            },
      erased: pages.flatMap((page) => page.erased),
      work: pages.flatMap((page) => page.work),
      settled: pages.flatMap((page) => page.settled),
      failed: pages.flatMap((page) => page.failed),
      progress: progress ?? pages.findLast((page) => page.progress !== null)?.progress ?? null,
      credits,
      reached,
      finished,
    };
  }

  /** Units of the work list that the buffered pages have read or set aside. */
  get units(): number {
    return this.#pages.reduce((sum, page) => sum + page.settled.length + page.failed.length, 0);
  }

  /** Records in the buffered pages. */
  get records(): number {
    return this.#pages.reduce((sum, page) => sum + page.records, 0);
  }

  /** How far the pages that wait have come. */
  get reached(): Page['reached'] {
    return this.#pages.findLast((page) => page.reached !== null)?.reached ?? null;
  }

  #append(lines: Page['lines']): void {
    let length = this.#length;
    for (const line of lines) for (const piece of line) length += piece.length;
    length += lines.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, Math.min(this.#bytes.length * 2, KEPT_BYTES_MAX)));
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
