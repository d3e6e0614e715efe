import { AppError } from '@freshet/contracts';
import type { DailyExportStrategy } from '../catalogue/strategies.ts';
import { addDays, type DayState, type Days, foldDays, getCompleteRange, listDays } from '../exports/day-states.ts';
import { findFileUrl, readExportFile } from '../exports/export-file.ts';
import { DAY_MS } from '../lists/timestamps.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { createPage, type FailedUnit, type Page, type Position, type ReadOptions } from '../reader/page.ts';
import { createFailedUnit, FailureClassifier, isUnitError } from '../reader/unit-failures.ts';

export interface DailyExportPosition extends Position {
  readonly days: Days;
  /** The first sync is not finished. */
  readonly isFirstSync?: true;
  /** The number of entries of the file that was read last. */
  readonly lastCount?: number;
}

/**
 * If none of this many days has a file, the account has no export. A busy account has at least one
 * activity a week.
 */
const PROBE_DAYS = 7;
/** Before this time has passed, a file that did not exist yet is not requested again. */
const RETRY_ABSENT_MS = 3_600_000;
/**
 * After this time, a missing day is requested again, in addition to the attempts to read the failed
 * unit. A refresh may have read the day, or a user may have discarded the failed unit.
 */
const RETRY_MISSING_MS = DAY_MS;
/** The number of attempts within a run if the download of a file fails. */
const DOWNLOADS_MAX = 3;
/** The number of failed units that are fetched at once. */
const FETCH_SIZE = 100;

/**
 * Reads the file of each day that is not complete yet.
 *
 * A day's file is requested after the day has ended in UTC. In a time zone west of UTC, the day has
 * not ended then, so the file is requested again on the next day. A day whose file is damaged
 * or missing becomes a failed unit, and later syncs request the file again, until the account has
 * deleted it.
 *
 * Entries are never deleted: an entry that a second file of the same day no longer has stays in the
 * table, because the activity did happen.
 * @throws AppError `source_not_in_plan` in a first sync if no recent day has a file.
 */
export function readDailyExport(
  reader: ObjectReader,
  strategy: DailyExportStrategy,
  from: DailyExportPosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  return new DailyExportReader(reader, strategy, from, options).read();
}

/**
 * Reads the days that a client requested, in a refresh.
 * @param position the position of the refresh.
 */
export async function* readRequestedDays(
  reader: ObjectReader,
  strategy: DailyExportStrategy,
  position: Position,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const today = toDay(reader.now());
  const days = { firstDay: today, states: {}, range: null };
  for await (const page of new DailyExportReader(reader, strategy, { days }, options).readFailedUnits())
    yield { ...page, position, coverage: null };
  yield createPage({ position, extractedAt: reader.now(), isLast: true });
}

/**
 * Tests whether the account has the export: requests the most recent days until one has a file.
 * @throws AppError `source_not_in_plan` if none has.
 */
export async function probeDailyExport(reader: ObjectReader, strategy: DailyExportStrategy): Promise<void> {
  const today = toDay(reader.now());
  for (const day of listDays(addDays(today, -PROBE_DAYS), today).reverse()) {
    const response = await reader.getFile({ [strategy.dayParam]: day });
    if (response !== null && findFileUrl(response.raw, day, reader.object.name) !== null) return;
  }
  throw createNoExportError(reader);
}

/** Marks the days whose files are kept, so that the next extraction reads them again. */
export function resetDays({ days, ...position }: DailyExportPosition): DailyExportPosition {
  const states = Object.entries(days.states).map(([day, state]): [string, DayState] => [
    day,
    state.state === 'complete' ? { ...state, state: 'reread' } : state,
  ]);
  return { ...position, days: { ...days, states: Object.fromEntries(states) } };
}

/** Lists the days that the next sync requests, oldest first. Failed units are not included. */
export function listDaysToRead(
  strategy: DailyExportStrategy,
  from: DailyExportPosition | null,
  historyFrom: Date | null,
  now: Date,
): string[] {
  const today = toDay(now);
  const days = from?.days ?? createDays(strategy, historyFrom, today);
  return listDays(days.firstDay, today).filter((day) => isDue(days.states[day], day, now));
}

interface DayOptions {
  /** The progress of the extraction after the day; null: unknown. */
  readonly progress: number | null;
  /** The day is a failed unit, which needs a result. */
  readonly isFailedUnit: boolean;
}

class DailyExportReader {
  readonly #reader: ObjectReader;
  readonly #strategy: DailyExportStrategy;
  readonly #options: ReadOptions;
  readonly #now: Date;
  readonly #today: string;
  /** The oldest day whose file the account keeps. */
  readonly #oldestDay: string;
  readonly #classifier: FailureClassifier;
  #position: DailyExportPosition;
  #extractedAt: Date;
  /** A day whose request succeeded, as evidence that the API works. */
  #readableDay: string | null = null;
  /** Missing days that are requested again. Another failure is not reported. */
  readonly #knownMissing = new Set<string>();

  constructor(
    reader: ObjectReader,
    strategy: DailyExportStrategy,
    from: DailyExportPosition | null,
    options: ReadOptions,
  ) {
    this.#reader = reader;
    this.#strategy = strategy;
    this.#options = options;
    this.#now = reader.now();
    this.#extractedAt = this.#now;
    this.#today = toDay(this.#now);
    this.#oldestDay = addDays(this.#today, -strategy.retentionDays);
    const firstDays = createDays(strategy, options.historyFrom, this.#today);
    // An account may get its first file months after the first attempt of a sync.
    this.#position =
      from === null || from.isFirstSync
        ? { isFirstSync: true, days: { ...firstDays, states: from?.days.states ?? {} } }
        : from;
    this.#classifier = new FailureClassifier(() => this.#readReference());
  }

  async *read(): AsyncGenerator<Page> {
    yield* this.readFailedUnits();
    const days = listDaysToRead(this.#strategy, this.#position, null, this.#now);
    // A first sync starts with the newest day, to determine whether the account has the export.
    // Later syncs start with the oldest day, whose file is deleted first.
    if (this.#position.isFirstSync) days.reverse();
    for (const [done, day] of days.entries()) {
      yield* this.#readDay(day, { progress: (done + 1) / days.length, isFailedUnit: false });
      this.#assertHasExport();
    }
    yield* this.#reportFailures(await this.#classifier.finish());
    this.#assertHasExport();
    yield this.#createLastPage();
  }

  /** Reads the days that are failed units and whose next attempt is due. */
  async *readFailedUnits(): AsyncGenerator<Page> {
    for (;;) {
      const units = await this.#options.fetchUnits(FETCH_SIZE);
      if (units.length === 0) break;
      for (const { parentId: day } of units) yield* this.#readDay(day, { progress: null, isFailedUnit: true });
    }
    yield* this.#reportFailures(await this.#classifier.finish());
  }

  async *#readDay(day: string, options: DayOptions): AsyncGenerator<Page> {
    const { name } = this.#reader.object;
    const isKnownMissing = !options.isFailedUnit && this.#position.days.states[day]?.state === 'missing';
    if (isKnownMissing) this.#knownMissing.add(day);
    if (day < this.#oldestDay) return yield* this.#handleExpiredDay(day);
    let url: string | null;
    try {
      url = await this.#requestUrl(day);
    } catch (error) {
      // The failure of the API may be an outage. The classifier decides.
      if (!isUnitError(error)) throw error;
      yield* this.#reportFailures(await this.#classifier.recordFailure(createFailedUnit(name, day, error), error));
      return;
    }
    yield* this.#reportFailures(this.#classifier.recordSuccess());
    if (url === null) return yield* this.#reportAbsence(day, options);
    try {
      yield* this.#readFile(day, url, options);
    } catch (error) {
      if (!isUnitError(error)) throw error;
      yield* this.#reportFailures([createFailedUnit(name, day, error)]);
    }
  }

  /** Downloads the file of a day. Each attempt needs a new URL, because a URL expires soon. */
  async *#readFile(day: string, firstUrl: string, options: DayOptions): AsyncGenerator<Page> {
    let url: string | null = firstUrl;
    for (let attempt = 1; url !== null; attempt++) {
      try {
        return yield* this.#downloadFile(day, url, options);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'source_not_found') break;
        const canRetry = error.code === 'source_unavailable' && this.#reader.canReadAhead();
        if (!canRetry || attempt >= DOWNLOADS_MAX) throw error;
        // The entries that were read already have the same keys in the next attempt.
        url = await this.#requestUrl(day);
      }
    }
    yield* this.#reportAbsence(day, options);
  }

  async #requestUrl(day: string): Promise<string | null> {
    const response = await this.#reader.getFile({ [this.#strategy.dayParam]: day });
    this.#readableDay = day;
    if (response === null) return null;
    this.#extractedAt = response.serverTime;
    return findFileUrl(response.raw, day, this.#reader.object.name);
  }

  async *#downloadFile(day: string, url: string, { progress }: DayOptions): AsyncGenerator<Page> {
    const extractedAt = this.#extractedAt;
    for await (const step of readExportFile(this.#reader, this.#strategy, day, url)) {
      if ('lines' in step) {
        const { lines } = step;
        // The day is not complete until its last entry was read, so the position stays before it.
        const page = { position: this.#position, extractedAt, lines, recordCount: lines.length };
        yield createPage({ ...page, hasPendingRequest: true });
        continue;
      }
      const state = day < addDays(this.#today, -1) ? 'complete' : 'read';
      this.#setState(day, { state, ...step.window });
      this.#position = { ...this.#position, lastCount: step.entries };
      const completedUnits = [{ object: this.#reader.object.name, parentId: day, version: '' }];
      yield createPage({ position: this.#position, extractedAt, completedUnits, progress });
    }
  }

  /** Handles a day without a file. */
  async *#reportAbsence(day: string, { isFailedUnit }: DayOptions): AsyncGenerator<Page> {
    const isOver = isFailedUnit || day < addDays(this.#today, -1);
    if (isOver && !this.#position.isFirstSync) {
      const message = `The file of ${day} does not exist. Freshet requests the file again until Freshdesk no longer keeps it.`;
      yield* this.#reportFailures([this.#createMissingUnit(day, message)]);
      return;
    }
    this.#setState(day, { state: 'absent', requestedAt: this.#now.toISOString() });
    yield createPage({ position: this.#position, extractedAt: this.#extractedAt });
  }

  /** Handles a day whose file Freshdesk no longer keeps, without a request. */
  async *#handleExpiredDay(day: string): AsyncGenerator<Page> {
    const state = this.#position.days.states[day];
    if (state?.state === 'reread') {
      // The entries are in the table already.
      this.#setState(day, { ...state, state: 'complete' });
      return;
    }
    const reason =
      state?.state === 'read'
        ? 'may be incomplete, because the file was read only once, before the day had ended in every time zone'
        : 'are lost, because no sync read the file in time';
    const message = `The activities of ${day} ${reason}. Freshdesk keeps files for ${this.#strategy.retentionDays} days. Discard the failed unit.`;
    yield* this.#reportFailures([this.#createMissingUnit(day, message)]);
  }

  #createMissingUnit(key: string, message: string): FailedUnit {
    return { object: this.#reader.object.name, key, code: 'source_not_found', message };
  }

  async *#reportFailures(failedUnits: readonly FailedUnit[]): AsyncGenerator<Page> {
    if (failedUnits.length === 0) return;
    for (const { key } of failedUnits) this.#setState(key, this.#createMissingState());
    const reported = failedUnits.filter(({ key }) => !this.#knownMissing.has(key));
    yield createPage({ position: this.#position, extractedAt: this.#extractedAt, failedUnits: reported });
  }

  #createMissingState(): DayState {
    return { state: 'missing', requestedAt: this.#now.toISOString() };
  }

  #setState(day: string, state: DayState): void {
    const { days } = this.#position;
    // The coverage of an earlier day is final.
    if (day < days.firstDay) return;
    this.#position = { ...this.#position, days: { ...days, states: { ...days.states, [day]: state } } };
  }

  /** @throws AppError if a first sync has requested enough days and found no file. */
  #assertHasExport(): void {
    const { isFirstSync, days } = this.#position;
    const states = Object.values(days.states);
    if (!isFirstSync || states.some(({ state }) => state !== 'absent')) return;
    const isEnd = states.length >= listDays(days.firstDay, this.#today).length;
    if (states.length >= PROBE_DAYS || isEnd) throw createNoExportError(this.#reader);
  }

  #createLastPage(): Page {
    const { isFirstSync, ...position } = this.#position;
    const firstSync = isFirstSync ? this.#finishFirstSync() : null;
    const days = foldDays(firstSync?.days ?? position.days, this.#oldestDay);
    const range = getCompleteRange(days);
    return createPage({
      position: { ...position, days },
      extractedAt: this.#extractedAt,
      failedUnits: firstSync?.failedUnits ?? [],
      coverage:
        range === null ? null : { completeAsOf: this.#capToPast(range.to), completeBackTo: new Date(range.from) },
      isLast: true,
    });
  }

  /** Limits the end of a file to a time that every clock has reached. */
  #capToPast(time: string): Date {
    return new Date(Math.min(Date.parse(time), this.#reader.capCoverage(this.#extractedAt).getTime()));
  }

  /**
   * The days before the first file are not part of the table: the account may have enabled the
   * export later. A day without a file after the first file is a failed unit.
   */
  #finishFirstSync(): { readonly days: Days; readonly failedUnits: FailedUnit[] } {
    const { days } = this.#position;
    const known = Object.keys(days.states).sort();
    const firstDay = known.find((day) => days.states[day]?.state !== 'absent') ?? this.#today;
    const absent = known.filter((day) => day > firstDay && days.states[day]?.state === 'absent');
    const failed = absent.filter((day) => day < addDays(this.#today, -1));
    const states = Object.fromEntries(
      known
        .filter((day) => day >= firstDay)
        .map((day): [string, DayState] => [
          day,
          failed.includes(day) ? this.#createMissingState() : (days.states[day] as DayState),
        ]),
    );
    const failedUnits = failed.map((day) =>
      this.#createMissingUnit(day, `The file of ${day} does not exist, although there are files of earlier days.`),
    );
    return { days: { firstDay, states, range: null }, failedUnits };
  }

  async #readReference(): Promise<boolean> {
    // If no request of this run succeeded, the account fails rather than a day.
    if (this.#readableDay === null) return false;
    try {
      await this.#requestUrl(this.#readableDay);
      return true;
    } catch (error) {
      if (!isUnitError(error)) throw error;
      return false;
    }
  }
}

function createDays(strategy: DailyExportStrategy, historyFrom: Date | null, today: string): Days {
  const oldestDay = addDays(today, -strategy.retentionDays);
  const firstDay = historyFrom === null ? oldestDay : toDay(historyFrom);
  return { firstDay: firstDay > oldestDay ? firstDay : oldestDay, states: {}, range: null };
}

/** Whether the file of a day that has ended must be requested. */
function isDue(state: DayState | undefined, day: string, now: Date): boolean {
  if (state === undefined) return true;
  switch (state.state) {
    case 'reread':
      return true;
    case 'read':
      return day < addDays(toDay(now), -1);
    case 'absent':
      return now.getTime() - Date.parse(state.requestedAt) >= RETRY_ABSENT_MS;
    case 'missing':
      return now.getTime() - Date.parse(state.requestedAt) >= RETRY_MISSING_MS;
    default:
      return false;
  }
}

function createNoExportError({ object }: ObjectReader): AppError {
  return new AppError(
    'source_not_in_plan',
    `Freshdesk has no file of ${object.name} for any of the last ${PROBE_DAYS} days. Enable the scheduled export of ticket activities in the reports of Freshdesk, or exclude the object.`,
  );
}

function toDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}
