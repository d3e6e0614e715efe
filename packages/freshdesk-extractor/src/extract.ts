import { AppError, unreachable } from '@freshet/contracts';
import { type AuditPosition, readAudit } from './audit.ts';
import type { ObjectSpec } from './catalogue/define.ts';
import type { Lists } from './http/client.ts';
import { BEGINNING, earlierOf, laterOf, seconds, wholeSeconds } from './lists/timestamps.ts';
import { type ObjectReader, readerOf } from './object-reader.ts';
import type { Page, Position, ReadOptions } from './page.ts';
import { withDetail, withoutDetail } from './records/details.ts';
import { withoutErased } from './records/erasure.ts';
import { withMask } from './records/masking.ts';
import { readSince, type SincePosition } from './strategies/changed-since.ts';
import { readChildren } from './strategies/children.ts';
import { readSweep, type SweepPosition } from './strategies/full-list.ts';
import { type KeysetPosition, readKeyset } from './strategies/keyset.ts';
import { lookUpRecords } from './strategies/record-lookups.ts';

/**
 * Reads one object of an account from a position on. The generator owns the algorithm, the caller owns
 * durability: whatever page was stored last, a new generator goes on from its position and loses nothing.
 *
 * @param position null for a first reading; else the position of the page that was stored last.
 * @throws AppError `out_of_credits` (go on later), `source_*` as the account answered.
 */
export function extract(
  client: Lists,
  object: ObjectSpec,
  position: Position | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const reader = readerOf(client, object, options.ending);
  const pages =
    options.detail !== true || object.single === null
      ? readObject(reader, withoutDetail(position), options)
      : withDetail(reader, position, (from) => readObject(reader, from, options));
  return leaving(retryLookups(reader, position, options, pages), object, options);
}

/** Looks up the records whose lookup failed before, then reads the object. A first reading has no such records. */
async function* retryLookups(
  reader: ObjectReader,
  position: Position | null,
  options: ReadOptions,
  pages: AsyncGenerator<Page>,
): AsyncGenerator<Page> {
  const { single, way } = reader.object;
  if (position !== null && single !== null && way.kind !== 'children') yield* lookUpRecords(reader, position, options);
  yield* pages;
}

/** What leaves the reading: without those who are erased, and masked. */
function leaving(
  pages: AsyncGenerator<Page>,
  object: ObjectSpec,
  { erased = [], mask }: ReadOptions,
): AsyncGenerator<Page> {
  const kept = erased.length === 0 ? pages : withoutErased(pages, object, erased);
  return mask ? withMask(kept, mask) : kept;
}

function readObject(reader: ObjectReader, position: Position | null, options: ReadOptions): AsyncGenerator<Page> {
  const { way } = reader.object;
  switch (way.kind) {
    case 'keyset':
      return readKeyset(reader, way, position as KeysetPosition | null, options);
    case 'since':
      return readSince(reader, way, position as SincePosition | null, options);
    case 'sweep':
      return readSweep(reader, way, position as SweepPosition | null, options);
    case 'children':
      return readChildren(reader, way, options);
    default:
      return unreachable(way);
  }
}

/** A changed position, and the changes that it skips: those between two moments are not read. Null: it skips none. */
export interface MovedPosition {
  readonly position: Position;
  /** RFC 3339; the year 1970: from the beginning. */
  readonly unreadFrom: string | null;
  readonly unreadTo: string | null;
}

/**
 * A position from which the next reading brings what has changed since a moment: again, or, where the moment lies ahead of what was
 * read, nothing older. In that case the object is complete back to that moment only.
 * @throws AppError `invalid_input` for an object that is not read by time.
 */
export function positionAt(object: ObjectSpec, known: Position, changedSince: Date): MovedPosition {
  const since = wholeSeconds(changedSince);
  const { kind } = object.way;
  const inner = withoutDetail(known) ?? {};
  if (kind !== 'keyset' && (kind !== 'since' || (inner as SincePosition).param === '')) {
    throw new AppError(
      'invalid_input',
      `changed_since: ${object.name} is not read by time. Restart it to read it again.`,
      {
        context: { pointer: '/changed_since' },
      },
    );
  }
  const { backTo } = inner as KeysetPosition | SincePosition;
  const readUntil = watermarkOf(object, inner) ?? BEGINNING;
  const isAhead = seconds(since) > seconds(readUntil);
  const deeper = isAhead || seconds(since) < seconds(backTo);
  const gap = isAhead ? { unreadFrom: readUntil, unreadTo: since } : { unreadFrom: null, unreadTo: null };
  if (kind === 'since') {
    const { param } = inner as SincePosition;
    const watermarks = Object.fromEntries(object.views.map((view) => [view.name, since]));
    return {
      position: {
        param,
        backTo: deeper ? since : backTo,
        watermarks,
        reading: null,
        sweep: null,
      } satisfies SincePosition,
      ...gap,
    };
  }
  const { window, skippedUntil: skippedBefore } = inner as KeysetPosition;
  const views = Object.fromEntries(object.views.map((view) => [view.name, { watermark: since, pass: null }]));
  const isStillSkipped = skippedBefore !== undefined && seconds(skippedBefore) <= seconds(since);
  const skippedUntil = isAhead ? since : isStillSkipped ? skippedBefore : undefined;
  const position: KeysetPosition = {
    backTo: deeper ? since : backTo,
    views,
    window: deeper ? null : window,
    ...(skippedUntil ? { skippedUntil } : {}),
  };
  return { position, ...gap };
}

/** The moment up to which a position claims that every change was read; null: it claims nothing. */
function watermarkOf(object: ObjectSpec, position: Position): string | null {
  const of = (view: string): string | null | undefined =>
    object.way.kind === 'keyset'
      ? (position as KeysetPosition).views?.[view]?.watermark
      : (position as SincePosition).watermarks?.[view];
  const watermarks = object.views.map(({ name }) => of(name) ?? null);
  return watermarks.reduce((least, next) => (least === null || next === null ? null : earlierOf(least, next)));
}

/**
 * Whether a stored position claims a moment that no clock has reached: a wrong clock has set it, and changes until then would be skipped.
 * @returns the moment that it claims; null: the position can be trusted.
 */
export function futureWatermark(object: ObjectSpec, position: Position | null, now: Date): string | null {
  const inner = withoutDetail(position);
  if (inner === null || (object.way.kind !== 'keyset' && object.way.kind !== 'since')) return null;
  const ahead = object.views.flatMap(({ name }) => {
    const of =
      object.way.kind === 'keyset'
        ? (inner as KeysetPosition).views?.[name]?.watermark
        : (inner as SincePosition).watermarks?.[name];
    return of != null && Date.parse(of) > now.getTime() ? [of] : [];
  });
  return ahead.reduce<string | null>((latest, next) => laterOf(latest, next), null);
}

/**
 * A position that replaces one of which `futureWatermark` is not null: everything is read again from the last moment that is certain.
 * @param certain null: no moment is known, so that everything is read again as far back as the position reaches.
 */
export function restoredPosition(
  object: ObjectSpec,
  position: Position,
  certain: Date | null,
): { readonly position: Position; readonly from: string } {
  const inner = withoutDetail(position) as KeysetPosition | SincePosition;
  const from = certain === null || certain.getTime() < Date.parse(inner.backTo) ? inner.backTo : wholeSeconds(certain);
  if (object.way.kind === 'since') {
    const watermarks = Object.fromEntries(object.views.map((view) => [view.name, from]));
    return {
      from,
      position: { ...(inner as SincePosition), watermarks, newestByView: {}, reading: null } satisfies SincePosition,
    };
  }
  // Lists of deleted records are short.
  const views = Object.fromEntries(object.views.map((view) => [view.name, { watermark: from, pass: null }]));
  return { from, position: { ...(inner as KeysetPosition), views, newest: undefined } satisfies KeysetPosition };
}

/**
 * A position from which the next reading reads again all that was read before, as deep as before.
 * @returns null for an object that every run reads completely. The function returns null where a reading begins anyway.
 */
export function rereadPosition(object: ObjectSpec): ((known: Position) => Position | null) | null {
  const { kind } = object.way;
  if (kind === 'sweep') return null;
  return (known) => {
    const inner = withoutDetail(known);
    if (inner === null) return null;
    if (kind === 'keyset')
      return { backTo: (inner as KeysetPosition).backTo, views: {}, window: null } satisfies KeysetPosition;
    // Children are read again because their parents are queued again. A list without a working filter is read completely anyway.
    if (kind === 'children' || (inner as SincePosition).param === '') return known;
    return { ...(inner as SincePosition), watermarks: {}, reading: null } satisfies SincePosition;
  };
}

/**
 * A position from which an object's reading goes on of which only its table is known: it holds every change between two moments.
 * @returns null for an object that is not read by time: it is read whole anyway.
 */
export function positionFrom(object: ObjectSpec, completeBackTo: Date, completeAsOf: Date): Position | null {
  const [backTo, watermark] = [wholeSeconds(completeBackTo), wholeSeconds(completeAsOf)];
  const forEachView = <T>(value: T) => Object.fromEntries(object.views.map(({ name }) => [name, value]));
  if (object.way.kind === 'keyset')
    return { backTo, views: forEachView({ watermark, pass: null }), window: null } satisfies KeysetPosition;
  // Whether the account's filter works is found out by the reading.
  if (object.way.kind === 'since')
    return { backTo, watermarks: forEachView(watermark), reading: null, sweep: null } satisfies Omit<
      SincePosition,
      'param'
    >;
  return null;
}

/**
 * Reads one object completely, to compare it with what its syncs have brought.
 *
 * @param position `{ synced: <the position of the syncs> }` at first; else the position of the page that was stored last.
 * @throws AppError as `extract`.
 */
export function audit(
  client: Lists,
  object: ObjectSpec,
  position: Position,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const reader = readerOf(client, object, options.ending);
  // The syncs may have stood in the middle of a page.
  const read = (from: Position | null) =>
    readAudit(reader, { ...from, synced: withoutDetail((from as AuditPosition).synced) ?? {} }, options);
  const pages =
    options.detail === true && object.single !== null
      ? withDetail(reader, position, read)
      : read(withoutDetail(position));
  return leaving(pages, object, options);
}
