import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { batchLine, type Column } from '@freshet/contracts';
import type { Claim, Step } from '@freshet/control-store';
import type { Page } from '@freshet/freshdesk-extractor';

const compress = promisify(zstdCompress);

/** A batch is stored when it is this large, uncompressed: the loader takes several, and memory stays bounded. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** … or when its first page has waited so long: somebody watches, and a killed worker should lose little. */
const BATCH_AGE_MS = 1000;
const LINE_BREAK = Buffer.from('\n');

/** Pages on their way into one step: a slow account stores each page, a fast one several together. */
export class StepBuffer {
  readonly #claim: Claim;
  #pages: Page[] = [];
  #bytes = 0;
  #since = 0;

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

  add(page: Page): void {
    if (this.#pages.length === 0) this.#since = performance.now();
    this.#pages.push(page);
    for (const line of page.lines) this.#bytes += line.length;
  }

  get isDue(): boolean {
    return this.#bytes >= BATCH_BYTES || performance.now() - this.#since >= BATCH_AGE_MS || (this.#pages.at(-1)?.finished ?? false);
  }

  /**
   * Everything that waits, as one step. Its last page's position stands for all of them.
   * @param reached how far the reading has come with them; null: no further.
   */
  async take(credits: number, customColumns: readonly Column[] | null, reached: Step['reached'], finished: boolean): Promise<Step> {
    const pages = this.#pages;
    this.#pages = [];
    this.#bytes = 0;
    const last = pages.at(-1) as Page;
    const lines = pages.flatMap((page) => page.lines);
    if (reached !== null) {
      // Travels as the last line, so that it reaches the warehouse after all that it speaks of.
      const times = { complete_as_of: reached.completeAsOf?.toISOString() ?? null, complete_back_to: reached.completeBackTo?.toISOString() ?? null };
      lines.push(batchLine({ reached: { run_id: this.#claim.runId, ...times } }));
    }
    const raw = Buffer.concat(lines.flatMap((line) => [line, LINE_BREAK]));
    return {
      position: last.position,
      customColumns,
      batch:
        lines.length === 0
          ? null
          : {
              body: await compress(raw),
              rawBytes: raw.length,
              records: pages.reduce((sum, page) => sum + page.records, 0),
              generation: last.generation,
              // The oldest of the pages: none of these records is younger than it says.
              extractedAt: (pages[0] as Page).extractedAt,
            },
      work: pages.flatMap((page) => page.work),
      settled: pages.flatMap((page) => page.settled),
      credits,
      reached,
      finished,
    };
  }

  /** How far the pages that wait have come. */
  get reached(): Page['reached'] {
    return this.#pages.findLast((page) => page.reached !== null)?.reached ?? null;
  }
}
