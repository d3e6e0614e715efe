import { AppError } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define-object.ts';
import { formatSeconds, getEarlier, getLater, toUnixSeconds, UNIX_EPOCH } from './lists/timestamps.ts';
import type { Position } from './reader/page.ts';
import { getStrategyPosition } from './records/details.ts';
import type { ChangedSincePosition } from './strategies/changed-since.ts';
import { type DailyExportPosition, resetDays } from './strategies/daily-export.ts';
import type { KeysetPosition } from './strategies/keyset.ts';

/** A moved position, and the time range whose changes are skipped. */
export interface MovedPosition {
  readonly position: Position;
  /** RFC 3339. The year 1970 means the start of the history. Null: no changes are skipped. */
  readonly unreadFrom: string | null;
  readonly unreadTo: string | null;
}

/**
 * Moves a position so that the next extraction reads the changes since a given time. If the time is
 * before the watermark of the position, these changes are reread. If the time is after the
 * watermark, the changes between the watermark and the time are skipped, and the table is complete
 * only back to the given time.
 * @throws AppError `invalid_input` if the object's strategy does not read changes since a given
 * time.
 */
export function movePosition(object: ObjectSpec, position: Position, changedSince: Date): MovedPosition {
  const since = formatSeconds(changedSince);
  const { kind } = object.strategy;
  const strategyPosition = getStrategyPosition(position) ?? {};
  if (kind !== 'keyset' && (kind !== 'changed-since' || (strategyPosition as ChangedSincePosition).param === '')) {
    throw new AppError(
      'invalid_input',
      `changed_since: the strategy of ${object.name} does not read changes since a given time. Restart the object to reread it.`,
      { context: { pointer: '/changed_since' } },
    );
  }
  const watermark = getWatermark(object, strategyPosition) ?? UNIX_EPOCH;
  const isAhead = toUnixSeconds(since) > toUnixSeconds(watermark);
  const skippedRange = isAhead ? { unreadFrom: watermark, unreadTo: since } : { unreadFrom: null, unreadTo: null };
  const nextPosition =
    kind === 'keyset'
      ? moveKeysetPosition(object, strategyPosition as KeysetPosition, since, isAhead)
      : moveChangedSincePosition(object, strategyPosition as ChangedSincePosition, since, isAhead);
  return { position: nextPosition, ...skippedRange };
}

function moveKeysetPosition(
  object: ObjectSpec,
  { backTo, window, skippedUntil }: KeysetPosition,
  since: string,
  isAhead: boolean,
): KeysetPosition {
  const startsAtSince = isAhead || toUnixSeconds(since) < toUnixSeconds(backTo);
  const isStillSkipped = skippedUntil !== undefined && toUnixSeconds(skippedUntil) <= toUnixSeconds(since);
  const nextSkippedUntil = isAhead ? since : isStillSkipped ? skippedUntil : undefined;
  return {
    backTo: startsAtSince ? since : backTo,
    views: setForAllViews(object, { watermark: since, pass: null }),
    window: startsAtSince ? null : window,
    ...(nextSkippedUntil ? { skippedUntil: nextSkippedUntil } : {}),
  };
}

function moveChangedSincePosition(
  object: ObjectSpec,
  { param, backTo }: ChangedSincePosition,
  since: string,
  isAhead: boolean,
): ChangedSincePosition {
  const startsAtSince = isAhead || toUnixSeconds(since) < toUnixSeconds(backTo);
  return {
    param,
    backTo: startsAtSince ? since : backTo,
    watermarks: setForAllViews(object, since),
    reading: null,
    fullList: null,
  };
}

/**
 * Finds a watermark that no clock has reached yet. A wrong clock has set such a watermark, and the
 * changes up to that time would be skipped.
 * @param now the latest time of any clock.
 * @returns the watermark in RFC 3339; null if the position can be trusted.
 */
export function findFutureWatermark(object: ObjectSpec, position: Position | null, now: Date): string | null {
  const strategyPosition = getStrategyPosition(position);
  if (strategyPosition === null) return null;
  return listWatermarks(object, strategyPosition)
    .filter((watermark) => watermark !== null && Date.parse(watermark) > now.getTime())
    .reduce<string | null>((latest, next) => (next === null ? latest : getLater(latest, next)), null);
}

/**
 * Replaces a position that contains a future watermark (see {@link findFutureWatermark}). The next
 * extraction then rereads everything since the last trusted time.
 * @param trustedTime the last trusted time. Null if none is known: everything is reread, as far
 * back as the position reaches.
 * @returns the new position, and the time from which everything is reread, in RFC 3339.
 */
export function restorePosition(
  object: ObjectSpec,
  position: Position,
  trustedTime: Date | null,
): { readonly position: Position; readonly from: string } {
  const strategyPosition = getStrategyPosition(position) as KeysetPosition | ChangedSincePosition;
  const isBeforeHistory = trustedTime === null || trustedTime.getTime() < Date.parse(strategyPosition.backTo);
  const from = isBeforeHistory ? strategyPosition.backTo : formatSeconds(trustedTime);
  if (object.strategy.kind === 'changed-since') {
    const restored: ChangedSincePosition = {
      ...(strategyPosition as ChangedSincePosition),
      watermarks: setForAllViews(object, from),
      newestByView: {},
      reading: null,
    };
    return { from, position: restored };
  }
  const restored: KeysetPosition = {
    ...(strategyPosition as KeysetPosition),
    views: setForAllViews(object, { watermark: from, pass: null }),
    newest: undefined,
  };
  return { from, position: restored };
}

/**
 * Returns a function that resets a position, so that the next extraction rereads the same history.
 * @returns null for an object with the full-list strategy, because every run reads it completely.
 * The returned function returns null for a position at the start.
 */
export function getPositionReset(object: ObjectSpec): ((position: Position) => Position | null) | null {
  const { kind } = object.strategy;
  if (kind === 'full-list') return null;
  return (position) => {
    const strategyPosition = getStrategyPosition(position);
    if (strategyPosition === null) return null;
    if (kind === 'keyset')
      return { backTo: (strategyPosition as KeysetPosition).backTo, views: {}, window: null } satisfies KeysetPosition;
    if (kind === 'daily-export') return resetDays(strategyPosition as DailyExportPosition);
    // Children are reread, because their parents are queued again. A list without a filter is
    // always read completely.
    if (kind === 'children' || (strategyPosition as ChangedSincePosition).param === '') return position;
    return {
      ...(strategyPosition as ChangedSincePosition),
      watermarks: {},
      reading: null,
    } satisfies ChangedSincePosition;
  };
}

/**
 * Builds the position of an object from the coverage of its table.
 * @returns null if the object's strategy does not read changes since a given time. Such an object
 * is read completely instead.
 */
export function buildPosition(object: ObjectSpec, completeBackTo: Date, completeAsOf: Date): Position | null {
  const [backTo, watermark] = [formatSeconds(completeBackTo), formatSeconds(completeAsOf)];
  switch (object.strategy.kind) {
    case 'keyset':
      return {
        backTo,
        views: setForAllViews(object, { watermark, pass: null }),
        window: null,
      } satisfies KeysetPosition;
    case 'changed-since':
      // The next extraction tests which filter the account supports.
      return {
        backTo,
        watermarks: setForAllViews(object, watermark),
        reading: null,
        fullList: null,
      } satisfies Omit<ChangedSincePosition, 'param'>;
    default:
      return null;
  }
}

function setForAllViews<T>(object: ObjectSpec, value: T): Record<string, T> {
  return Object.fromEntries(object.views.map(({ name }) => [name, value]));
}

/** Returns the time up to which every view has been read; null if a view has not been read. */
function getWatermark(object: ObjectSpec, position: Position): string | null {
  return listWatermarks(object, position).reduce((earliest, next) =>
    earliest === null || next === null ? null : getEarlier(earliest, next),
  );
}

/**
 * Lists the watermarks of all views. The list is empty if the object's strategy does not read
 * changes since a given time.
 */
function listWatermarks({ strategy, views }: ObjectSpec, position: Position): (string | null)[] {
  switch (strategy.kind) {
    case 'keyset':
      return views.map(({ name }) => (position as KeysetPosition).views?.[name]?.watermark ?? null);
    case 'changed-since':
      return views.map(({ name }) => (position as ChangedSincePosition).watermarks?.[name] ?? null);
    default:
      return [];
  }
}
