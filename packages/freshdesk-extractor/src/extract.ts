import { AppError, unreachable } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define.ts';
import type { Lists } from './client.ts';
import { withDetail, withoutDetail } from './detail.ts';
import { withoutErased } from './erased.ts';
import { withMask } from './mask.ts';
import type { Page, Position, ReadOptions } from './pages.ts';
import { type ObjectReader, readerOf } from './reader.ts';
import { type AuditPosition, readAudit } from './ways/audit.ts';
import { readChildren } from './ways/children.ts';
import { type KeysetPosition, readKeyset } from './ways/keyset.ts';
import { readSince, type SincePosition } from './ways/since.ts';
import { readSweep, type SweepPosition } from './ways/sweep.ts';
import { seconds, wholeSeconds } from './ways/times.ts';

/**
 * Reads one object of an account from a position on. The generator owns the algorithm, the caller owns
 * durability: whatever page was stored last, a new generator goes on from its position and loses nothing.
 *
 * @param position null for a first reading; else the position of the page that was stored last.
 * @throws AppError `out_of_credits` (go on later), `source_*` as the account answered.
 */
export function extract(client: Lists, object: ObjectSpec, position: Position | null, options: ReadOptions): AsyncGenerator<Page> {
  const reader = readerOf(client, object, options.ending);
  const pages =
    options.detail !== true || object.single === null
      ? readObject(reader, withoutDetail(position), options)
      : withDetail(reader, position, (from) => readObject(reader, from, options));
  return leaving(pages, object, options);
}

/** What leaves the reading: without those who are erased, and masked. */
function leaving(pages: AsyncGenerator<Page>, object: ObjectSpec, { erased = [], mask }: ReadOptions): AsyncGenerator<Page> {
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

/**
 * A position from which the next reading brings what has changed since a moment: again, or, where it lies ahead, not at all
 * before it.
 * @throws AppError `invalid_input` for an object that is not read by time.
 */
export function positionAt(object: ObjectSpec, known: Position, changedSince: Date): Position {
  const since = wholeSeconds(changedSince);
  const { kind } = object.way;
  const inner = withoutDetail(known) ?? {};
  if (kind === 'keyset') {
    const { backTo, window } = inner as KeysetPosition;
    const views = Object.fromEntries(object.views.map((view) => [view.name, { watermark: since, pass: null }]));
    const deeper = seconds(since) < seconds(backTo);
    return { backTo: deeper ? since : backTo, views, window: deeper ? null : window } satisfies KeysetPosition;
  }
  const { param, backTo } = inner as SincePosition;
  if (kind !== 'since' || param === '') {
    throw new AppError('invalid_input', `changed_since: ${object.name} is not read by time. Restart it to read it again.`, {
      context: { pointer: '/changed_since' },
    });
  }
  const watermarks = Object.fromEntries(object.views.map((view) => [view.name, since]));
  return { param, backTo: seconds(since) < seconds(backTo) ? since : backTo, watermarks, reading: null, sweep: null } satisfies SincePosition;
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
    if (kind === 'keyset') return { backTo: (inner as KeysetPosition).backTo, views: {}, window: null } satisfies KeysetPosition;
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
  if (object.way.kind === 'keyset') return { backTo, views: forEachView({ watermark, pass: null }), window: null } satisfies KeysetPosition;
  // Whether the account's filter works is found out by the reading.
  if (object.way.kind === 'since') return { backTo, watermarks: forEachView(watermark), reading: null, sweep: null } satisfies Omit<SincePosition, 'param'>;
  return null;
}

/**
 * Reads one object completely, to compare it with what its syncs have brought.
 *
 * @param position `{ synced: <the position of the syncs> }` at first; else the position of the page that was stored last.
 * @throws AppError as `extract`.
 */
export function audit(client: Lists, object: ObjectSpec, position: Position, options: ReadOptions): AsyncGenerator<Page> {
  const reader = readerOf(client, object, options.ending);
  // The syncs may have stood in the middle of a page.
  const read = (from: Position | null) => readAudit(reader, { ...from, synced: withoutDetail((from as AuditPosition).synced) ?? {} }, options);
  const pages = options.detail === true && object.single !== null ? withDetail(reader, position, read) : read(withoutDetail(position));
  return leaving(pages, object, options);
}
