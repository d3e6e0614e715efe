import { batchLine, type GenerationLine, type LinePieces } from '@freshet/contracts';
import type { Keyset, Since, View } from './catalogue/define.ts';
import type { ListedRecord } from './http/client.ts';
import { readWhole, startWhole, type WholeState } from './lists/stable-list.ts';
import { BEGINNING, wholeSeconds } from './lists/timestamps.ts';
import { type ObjectReader, recordPage } from './object-reader.ts';
import { type FailedUnit, type Page, type Position, page, type ReadOptions } from './page.ts';
import { chooseProof, type SincePosition } from './strategies/changed-since.ts';
import { readChildren } from './strategies/children.ts';
import type { KeysetPosition } from './strategies/keyset.ts';
import { type Pass, passShare, readPass, startPass } from './strategies/keyset-pass.ts';
import { lookUpRecords } from './strategies/record-lookups.ts';

/**
 * Reads an object completely, as deep as its syncs have come, whatever they have read already: what changed without a newer
 * version, what no list of deleted records shows, and what was missed is found by comparing.
 *
 * All views together are a generation. Where records have an address of their own, nothing is concluded from what the
 * generation did not hold: the keys that it lacks, and numbers that nobody has, are asked for one by one, once the loader has
 * found them. Where they have none, a reading that held still speaks for itself.
 */
export interface AuditPosition extends Position {
  /** The position of the syncs when the audit began. */
  readonly synced: Position;
  /** RFC 3339: when it began. */
  readonly beganAt?: string;
  /** The view under way, and where its reading stands; views before it are done. */
  readonly reading?: { readonly view: number; readonly pass: Pass | null; readonly whole: WholeState | null };
  /** A list that never held still: nothing is concluded from what it did not show. */
  readonly unsettled?: true;
  /** Everything was read: what it lacked is asked for. */
  readonly confirming?: true;
  /** Nothing is audited: only what somebody has asked for is read. */
  readonly refresh?: true;
}

export async function* readAudit(
  reader: ObjectReader,
  from: AuditPosition,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const { object } = reader;
  const { way } = object;
  if (from.refresh && way.kind !== 'children') return yield* lookUpSuspects(reader, from, options);
  switch (way.kind) {
    case 'keyset':
      return yield* readAll(reader, from, options, (from.synced as KeysetPosition).backTo, (view, at) =>
        pass(reader, way, view, at, from),
      );
    case 'since':
      return yield* readAll(reader, from, options, (from.synced as SincePosition).backTo, (view, at) =>
        whole(reader, way, view, at, from),
      );
    case 'children':
      for await (const read of readChildren(reader, way, options)) {
        yield {
          ...read,
          position: from,
          reached: null,
          ...(read.finished && !from.refresh ? { lines: [...read.lines, audited(read.extractedAt)] } : {}),
        };
      }
      return;
    default:
      // Every run reads it completely.
      yield page({ position: from, extractedAt: reader.now(), finished: true });
  }
}

type Reading = NonNullable<AuditPosition['reading']>;

interface ViewStep {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  /** Null: the view has been read. */
  readonly next: Pick<Reading, 'pass' | 'whole'> | null;
  readonly unsettled: boolean;
  readonly failed: readonly FailedUnit[];
  /** Share of the view that is read, from 0 to 1; null when it is not known. */
  readonly share: number | null;
  readonly ahead: boolean;
}

/** The live view is nearly all of an audit; lists of deleted records and lookups are the rest. */
const LIVE_SHARE = 0.9;

async function* readAll(
  reader: ObjectReader,
  from: AuditPosition,
  options: ReadOptions,
  backTo: string,
  readView: (view: View, at: Reading) => AsyncGenerator<ViewStep>,
): AsyncGenerator<Page> {
  const { object } = reader;
  let position = from;
  if (!position.confirming) {
    for (let v = position.reading?.view ?? 0; v < object.views.length; v++) {
      const view = object.views[v] as View;
      const at = position.reading?.view === v ? position.reading : { view: v, pass: null, whole: null };
      for await (const step of readView(view, at)) {
        const { serverTime, next } = step;
        position = {
          ...position,
          beganAt: position.beganAt ?? serverTime.toISOString(),
          reading: next === null ? { view: v + 1, pass: null, whole: null } : { view: v, ...next },
          ...(step.unsettled ? { unsettled: true } : {}),
        };
        yield recordPage(reader, options, {
          view,
          records: step.records,
          position,
          extractedAt: serverTime,
          generation: options.readingId,
          failed: step.failed,
          progress: v > 0 ? LIVE_SHARE : step.share === null ? null : LIVE_SHARE * step.share,
          ahead: step.ahead,
        });
      }
    }
    const { beganAt = reader.now().toISOString() } = position;
    const since = backTo === BEGINNING ? {} : { since: backTo };
    // Without an address to ask at, an outage must not look like a deletion.
    const doubt =
      object.single === null
        ? { guarded: true as const }
        : { suspects: { gaps: object.denseIds && backTo === BEGINNING } };
    const generation: GenerationLine = { generation: { id: options.readingId, began_at: beganAt, ...since, ...doubt } };
    const lines = position.unsettled ? [] : [batchLine(generation)];
    // … and the findings say so.
    const settled = position.unsettled
      ? [{ object: object.name, parentId: '', version: '', outcome: { name: 'unsettled', lasting: false } }]
      : [];
    position = { synced: position.synced, beganAt, confirming: true };
    yield page({
      position,
      extractedAt: new Date(beganAt),
      lines,
      settled,
      generation: options.readingId,
      awaitsLoad: true,
    });
    // Whoever goes on finds the suspects once the loader has found them.
    return;
  }
  yield* lookUpSuspects(reader, position, options);
}

/** Looks up the records on the work list: an audit's deletion candidates, or records that a client requested. */
async function* lookUpSuspects(
  reader: ObjectReader,
  position: AuditPosition,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const { beganAt = reader.now().toISOString() } = position;
  yield* lookUpRecords(reader, position, options);
  yield page({
    position,
    extractedAt: reader.now(),
    lines: position.refresh ? [] : [audited(new Date(beganAt))],
    finished: true,
  });
}

async function* pass(
  reader: ObjectReader,
  way: Keyset,
  view: View,
  at: Reading,
  { synced }: AuditPosition,
): AsyncGenerator<ViewStep> {
  // Lists of deleted records are short, and always read whole.
  const start = view.deleted === null ? (synced as KeysetPosition).backTo : BEGINNING;
  for await (const { records, serverTime, pass: next, failed, ahead } of readPass(
    reader,
    way,
    view,
    at.pass ?? startPass(start),
  )) {
    yield {
      records,
      serverTime,
      next: next && { pass: next, whole: null },
      unsettled: false,
      failed,
      share: passShare(next, start, serverTime),
      ahead,
    };
  }
}

async function* whole(
  reader: ObjectReader,
  way: Since,
  view: View,
  at: Reading,
  { synced }: AuditPosition,
): AsyncGenerator<ViewStep> {
  const { param, backTo } = synced as SincePosition;
  const query =
    backTo === BEGINNING || param === '' ? view.query : { ...view.query, [param]: wholeSeconds(new Date(backTo)) };
  const proof = chooseProof(way);
  for await (const step of readWhole(
    reader,
    (n, size) => reader.list(query, n, { size }),
    at.whole ?? startWhole(null, proof),
    proof,
  )) {
    const next = step.outcome === 'next' ? { pass: null, whole: step.state } : null;
    yield {
      records: step.records,
      serverTime: step.serverTime,
      next,
      unsettled: step.outcome === 'unsettled',
      failed: [],
      share: null,
      ahead: step.ahead,
    };
  }
}

function audited(at: Date): LinePieces {
  return batchLine({ audited: { at: at.toISOString() } });
}
