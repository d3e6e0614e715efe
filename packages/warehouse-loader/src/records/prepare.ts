import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import {
  type AuditEndLine,
  type CompleteListLine,
  type CoverageLine,
  type DeletedLine,
  FieldIndex,
  type GenerationLine,
  locateRecord,
  type Table,
} from '@freshet/contracts';
import { type BatchToLoad, type ControlLine, parseControlLine, splitLines, unpackBody } from './batches.ts';
import { type IdentifiedRecord, identifyRecord, inspectBody } from './identify.ts';

/** Why the record in a line of a batch cannot be loaded. */
export interface Rejection {
  /** The index of the batch among the batches that are loaded together. */
  readonly batch: number;
  /** The number of the line in the batch, counted from 0. */
  readonly line: number;
  readonly reason: string;
}

/** Batches, and their lines grouped by kind. `batch` is an index into `batches`. */
export interface PreparedBatches {
  readonly batches: readonly BatchToLoad[];
  readonly records: readonly IdentifiedRecord[];
  readonly rejections: readonly Rejection[];
  /** The number of records in each batch, including rejected and erased records. */
  readonly recordCounts: readonly number[];
  /** Complete lists, each with all children of one parent. */
  readonly completeLists: readonly (CompleteListLine['complete'] & { readonly batch: number })[];
  /** Generations whose last batch is among the batches. */
  readonly generations: readonly (GenerationLine['generation'] & { readonly batch: number })[];
  /** Records that were requested individually and found to be deleted. */
  readonly deletions: readonly (DeletedLine['gone'] & { readonly batch: number })[];
  /** The last coverage in the batches; null: the batches contain no coverage. */
  readonly coverage: CoverageLine['reached'] | null;
  /** The audit whose last batch is among the batches; null: none. */
  readonly completedAudit: AuditEndLine['audited'] | null;
}

/**
 * The number of bytes to process before yielding to other work on the event loop. Processing them
 * takes less time than encoding one chunk of COPY, so that the load in progress, for which the
 * warehouse waits, gets most of the CPU time.
 */
const TURN_BYTES = 32 * 1024;

/**
 * Unpacks batches and identifies their records. This part of a load needs no warehouse, so the
 * caller can prepare the next batches while it loads earlier batches.
 */
export async function prepareBatches(batches: readonly BatchToLoad[], table: Table): Promise<PreparedBatches> {
  const collector = new LineCollector(batches);
  let bytesSinceYield = 0;
  for (const [batch, { body, rawBytes }] of batches.entries()) {
    const bytes = await unpackBody(body, rawBytes);
    const properties = inspectBody(bytes);
    const fieldIndex = new FieldIndex(bytes.length);
    let line = -1;
    for (const lineBytes of splitLines(bytes)) {
      line++;
      bytesSinceYield += lineBytes.length;
      if (bytesSinceYield > TURN_BYTES) {
        bytesSinceYield = 0;
        await yieldToEventLoop();
      }
      const location = locateRecord(lineBytes);
      if (location === null) collector.addControlLine(batch, line, parseControlLine(lineBytes));
      else collector.addRecord(batch, line, identifyRecord(lineBytes, location, table, fieldIndex, properties));
    }
  }
  return collector.toPreparedBatches();
}

class LineCollector {
  readonly #batches: readonly BatchToLoad[];
  readonly #recordCounts: number[];
  readonly #records: IdentifiedRecord[] = [];
  readonly #rejections: Rejection[] = [];
  readonly #completeLists: PreparedBatches['completeLists'][number][] = [];
  readonly #generations: PreparedBatches['generations'][number][] = [];
  readonly #deletions: PreparedBatches['deletions'][number][] = [];
  #coverage: PreparedBatches['coverage'] = null;
  #completedAudit: PreparedBatches['completedAudit'] = null;

  constructor(batches: readonly BatchToLoad[]) {
    this.#batches = batches;
    this.#recordCounts = batches.map(() => 0);
  }

  addRecord(batch: number, line: number, identity: ReturnType<typeof identifyRecord>): void {
    this.#countRecord(batch);
    if ('rejection' in identity) this.#rejections.push({ batch, line, reason: identity.rejection });
    else {
      // Copying the properties one by one is several times as fast as a spread.
      const { raw, deleteKind, key, version, hash, notes } = identity;
      this.#records.push({ batch, line, raw, deleteKind, key, version, hash, notes });
    }
  }

  addControlLine(batch: number, line: number, controlLine: ControlLine): void {
    if ('rejected' in controlLine) {
      this.#countRecord(batch);
      this.#rejections.push({ batch, line, reason: controlLine.rejected.reason });
    } else if ('erased' in controlLine) this.#countRecord(batch);
    else if ('complete' in controlLine) this.#completeLists.push({ ...controlLine.complete, batch });
    else if ('generation' in controlLine) {
      // Ignore the generation in a rebuild. Earlier batches of the generation may have been pruned,
      // so the generation may lack records that still exist.
      if (!this.#batches[batch]?.isRewrite) this.#generations.push({ ...controlLine.generation, batch });
    } else if ('gone' in controlLine) this.#deletions.push({ ...controlLine.gone, batch });
    else if ('audited' in controlLine) this.#completedAudit = controlLine.audited;
    else this.#coverage = controlLine.reached;
  }

  toPreparedBatches(): PreparedBatches {
    return {
      batches: this.#batches,
      records: this.#records,
      rejections: this.#rejections,
      recordCounts: this.#recordCounts,
      completeLists: this.#completeLists,
      generations: this.#generations,
      deletions: this.#deletions,
      coverage: this.#coverage,
      completedAudit: this.#completedAudit,
    };
  }

  #countRecord(batch: number): void {
    this.#recordCounts[batch] = (this.#recordCounts[batch] as number) + 1;
  }
}
