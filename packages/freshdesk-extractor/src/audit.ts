import { encodeBatchLine, type GenerationLine, type LineChunks } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define-object.ts';
import type { ChangedSinceStrategy, KeysetStrategy, ListView } from './catalogue/strategies.ts';
import type { RecordSource } from './http/client.ts';
import type { ListedRecord } from './http/response-parser.ts';
import { createListState, readStableList, type StableListState } from './lists/stable-list.ts';
import { UNIX_EPOCH } from './lists/timestamps.ts';
import { createObjectReader, type ObjectReader } from './reader/object-reader.ts';
import {
  type CompletedUnit,
  createPage,
  type FailedUnit,
  type Page,
  type Position,
  type ReadOptions,
} from './reader/page.ts';
import { createRecordPage } from './reader/record-page.ts';
import { completeRecords, getStrategyPosition } from './records/details.ts';
import { protectRecords } from './records/protect-records.ts';
import type { ChangedSincePosition } from './strategies/changed-since.ts';
import { buildSinceQuery, chooseProof } from './strategies/changed-since-filter.ts';
import { readChildren } from './strategies/children.ts';
import { readRequestedDays } from './strategies/daily-export.ts';
import type { KeysetPosition } from './strategies/keyset.ts';
import { getPassShare, type KeysetPass, readPass, startPass } from './strategies/keyset-pass.ts';
import { lookUpRecords } from './strategies/record-lookups.ts';

interface AuditPosition extends Position {
  /** The position of the syncs when the audit began. */
  readonly synced: Position;
  /** The start of the audit, in RFC 3339. */
  readonly beganAt?: string;
  /**
   * The view that is being read: its index, and the state of its read. Views with lower indexes are
   * complete.
   */
  readonly reading?: ViewReading;
  /** A list changed too fast to be read completely, so absent records do not count as deleted. */
  readonly isUnsettled?: true;
  /** Everything has been read, and the absent records are being looked up. */
  readonly confirming?: true;
  /** This is not an audit but a refresh: only requested records are read. */
  readonly refresh?: true;
}

interface ViewReading {
  readonly view: number;
  readonly pass: KeysetPass | null;
  readonly list: StableListState | null;
}

/**
 * Reads one object completely, as far back as its syncs have read it. The comparison with the table
 * finds changes without a later time in the version column, deletions that no list shows, and
 * records that the syncs missed.
 *
 * All views together form one generation. If the object has an endpoint for single records, the
 * records that the generation lacks do not count as deleted yet. After the load, these records and
 * unused keys are looked up one by one. If there is no such endpoint, the missing records are
 * marked as deleted, provided that the generation is proven complete.
 *
 * @param position `{ synced: <position of the syncs> }` at the start; then the position of the last
 * stored page.
 * @throws AppError as `extract` does.
 */
export function audit(
  source: RecordSource,
  object: ObjectSpec,
  position: Position,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const reader = createObjectReader(source, object, options.stopSignal);
  const read = (from: Position | null) => {
    // The syncs may have been interrupted within a page.
    const synced = getStrategyPosition((from as AuditPosition).synced) ?? {};
    return readAudit(reader, { ...from, synced }, options);
  };
  const pages =
    options.fetchDetail === true && object.detail !== null
      ? completeRecords(reader, position, read)
      : read(getStrategyPosition(position));
  return protectRecords(pages, object, options);
}

async function* readAudit(reader: ObjectReader, from: AuditPosition, options: ReadOptions): AsyncGenerator<Page> {
  const { strategy } = reader.object;
  switch (strategy.kind) {
    case 'keyset':
    case 'changed-since':
      if (from.refresh || from.confirming) yield* lookUpCandidates(reader, from, options);
      else yield* new GenerationReader(reader, strategy, from, options).read();
      return;
    case 'children':
      yield* auditChildren(readChildren(reader, strategy, options), from);
      return;
    case 'daily-export':
      // Audits do not cover exports. A refresh reads the days that are failed units.
      yield* readRequestedDays(reader, strategy, from, options);
      return;
    default:
      // Every sync reads the complete list, so an audit has nothing to do. A refresh looks up
      // single records.
      if (from.refresh) yield* lookUpCandidates(reader, from, options);
      else yield createPage({ position: from, extractedAt: reader.now(), isLast: true });
  }
}

async function* auditChildren(pages: AsyncGenerator<Page>, position: AuditPosition): AsyncGenerator<Page> {
  for await (const page of pages) {
    const isEnd = page.isLast && !position.refresh;
    const lines = isEnd ? [...page.lines, encodeAuditEnd(page.extractedAt)] : page.lines;
    yield { ...page, position, coverage: null, lines };
  }
}

/**
 * Looks up the records on the work list: an audit's deletion candidates, or records that a client
 * requested.
 */
async function* lookUpCandidates(
  reader: ObjectReader,
  position: AuditPosition,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const beganAt = new Date(position.beganAt ?? reader.now());
  yield* lookUpRecords(reader, position, options);
  const lines = position.refresh ? [] : [encodeAuditEnd(beganAt)];
  yield createPage({ position, extractedAt: reader.now(), lines, isLast: true });
}

function encodeAuditEnd(time: Date): LineChunks {
  return encodeBatchLine({ audited: { at: time.toISOString() } });
}

interface ViewStep {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  /** The state after the page; null: the view is complete. */
  readonly next: Pick<ViewReading, 'pass' | 'list'> | null;
  readonly isUnsettled: boolean;
  readonly failedUnits: readonly FailedUnit[];
  /** The share of the view that has been read, from 0 to 1; null: unknown. */
  readonly share: number | null;
  readonly hasPendingRequest: boolean;
}

/**
 * The share of an audit's progress that belongs to the first view. The rest belongs to lists of
 * deleted records and to lookups.
 */
const FIRST_VIEW_SHARE = 0.9;

/** Reads all views of an object as one generation. */
class GenerationReader {
  readonly #reader: ObjectReader;
  readonly #strategy: KeysetStrategy | ChangedSinceStrategy;
  readonly #options: ReadOptions;
  #position: AuditPosition;

  constructor(
    reader: ObjectReader,
    strategy: KeysetStrategy | ChangedSinceStrategy,
    from: AuditPosition,
    options: ReadOptions,
  ) {
    this.#reader = reader;
    this.#strategy = strategy;
    this.#options = options;
    this.#position = from;
  }

  async *read(): AsyncGenerator<Page> {
    const { views } = this.#reader.object;
    for (let index = this.#position.reading?.view ?? 0; index < views.length; index++) yield* this.#readView(index);
    // The next extraction looks up the deletion candidates, which the loader determines from this
    // generation.
    yield this.#createGenerationPage();
  }

  async *#readView(index: number): AsyncGenerator<Page> {
    const view = this.#reader.object.views[index] as ListView;
    const { reading } = this.#position;
    const from = reading?.view === index ? reading : { view: index, pass: null, list: null };
    const steps =
      this.#strategy.kind === 'keyset'
        ? this.#readByPass(this.#strategy, view, from)
        : this.#readByList(this.#strategy, view, from);
    for await (const step of steps) {
      const { serverTime, next, share } = step;
      this.#position = {
        ...this.#position,
        beganAt: this.#position.beganAt ?? serverTime.toISOString(),
        reading: next === null ? { view: index + 1, pass: null, list: null } : { view: index, ...next },
        ...(step.isUnsettled ? { isUnsettled: true } : {}),
      };
      yield createRecordPage(this.#reader, this.#options, {
        view,
        records: step.records,
        position: this.#position,
        extractedAt: serverTime,
        generation: this.#options.readingId,
        failedUnits: step.failedUnits,
        progress: index > 0 ? FIRST_VIEW_SHARE : share === null ? null : FIRST_VIEW_SHARE * share,
        hasPendingRequest: step.hasPendingRequest,
      });
    }
  }

  async *#readByPass(strategy: KeysetStrategy, view: ListView, from: ViewReading): AsyncGenerator<ViewStep> {
    // Lists of deleted records are short, so they are read completely.
    const start = view.deleteKind === null ? (this.#position.synced as KeysetPosition).backTo : UNIX_EPOCH;
    const list = { reader: this.#reader, strategy, view };
    for await (const step of readPass(list, from.pass ?? startPass(start))) {
      yield {
        records: step.records,
        serverTime: step.serverTime,
        next: step.pass && { pass: step.pass, list: null },
        isUnsettled: false,
        failedUnits: step.failedUnits,
        share: getPassShare(step.pass, start, step.serverTime),
        hasPendingRequest: step.hasPendingRequest,
      };
    }
  }

  async *#readByList(strategy: ChangedSinceStrategy, view: ListView, from: ViewReading): AsyncGenerator<ViewStep> {
    const { param, backTo } = this.#position.synced as ChangedSincePosition;
    const query = param === '' ? view.query : buildSinceQuery(view, param, backTo);
    const proof = chooseProof(strategy);
    const fetchPage = (page: number, size: number) => this.#reader.list(query, page, { size });
    for await (const step of readStableList(
      this.#reader,
      fetchPage,
      from.list ?? createListState(null, proof),
      proof,
    )) {
      yield {
        records: step.records,
        serverTime: step.serverTime,
        next: step.outcome === 'next' ? { pass: null, list: step.state } : null,
        isUnsettled: step.outcome === 'unsettled',
        failedUnits: [],
        share: null,
        hasPendingRequest: step.hasPendingRequest,
      };
    }
  }

  #createGenerationPage(): Page {
    const { object } = this.#reader;
    const { synced, isUnsettled, beganAt = this.#reader.now().toISOString() } = this.#position;
    // This outcome shows users that the audit could not determine deletions.
    const unsettledUnit: CompletedUnit = {
      object: object.name,
      parentId: '',
      version: '',
      outcome: { name: 'unsettled', isFinal: false },
    };
    this.#position = { synced, beganAt, confirming: true };
    return createPage({
      position: this.#position,
      extractedAt: new Date(beganAt),
      lines: isUnsettled ? [] : [encodeBatchLine(this.#createGenerationLine(beganAt))],
      completedUnits: isUnsettled ? [unsettledUnit] : [],
      generation: this.#options.readingId,
      waitForLoad: true,
    });
  }

  #createGenerationLine(beganAt: string): GenerationLine {
    const { detail, hasDenseIds } = this.#reader.object;
    const { backTo } = this.#position.synced as KeysetPosition | ChangedSincePosition;
    const isAllHistory = backTo === UNIX_EPOCH;
    return {
      generation: {
        id: this.#options.readingId,
        began_at: beganAt,
        ...(isAllHistory ? {} : { since: backTo }),
        // Without an endpoint for single records, the loader must distinguish an outage from
        // deletions.
        ...(detail === null ? { guarded: true } : { suspects: { gaps: hasDenseIds && isAllHistory } }),
      },
    };
  }
}
