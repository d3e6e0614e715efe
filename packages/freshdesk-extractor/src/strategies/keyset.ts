import type { KeysetStrategy, ListView } from '../catalogue/strategies.ts';
import { isLoopError } from '../lists/loop-detection.ts';
import { formatSeconds, getLater, getNewestVersion, getReadStart, UNIX_EPOCH } from '../lists/timestamps.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { type Coverage, createPage, type Page, type Position, type ReadOptions } from '../reader/page.ts';
import { createRecordPage } from '../reader/record-page.ts';
import { type HistoryWindow, HistoryWindows } from './history-windows.ts';
import { confirmUnchanged, getPassShare, type KeysetPass, type PassStep, readPass, startPass } from './keyset-pass.ts';

interface ViewPosition {
  /**
   * The time up to which every change has been read, in RFC 3339 and whole seconds; null: nothing
   * has been read.
   */
  readonly watermark: string | null;
  /** The pass in progress; null: none. */
  readonly pass: KeysetPass | null;
  /** The start of the last pass, according to the clock that orders reads. */
  readonly readAt?: string;
  /** The position's `newest` at the end of the last pass; absent: unknown. */
  readonly newest?: string | undefined;
}

export interface KeysetPosition extends Position {
  /** The start of the range that has been read. The range ends at the watermarks. */
  readonly backTo: string;
  readonly views: Readonly<Record<string, ViewPosition>>;
  /** The history window in progress; null: none. */
  readonly window: HistoryWindow | null;
  /** The latest time in the cursor column of all records that have been read. */
  readonly newest?: string | undefined;
  /**
   * The history before this time is skipped, because the position was moved forward; absent:
   * nothing is skipped.
   */
  readonly skippedUntil?: string | undefined;
}

/** The interval, in milliseconds, at which recent changes are read during a backfill. */
const REFRESH_INTERVAL_MS = 600_000;

/**
 * Reads an object whose list is ordered by its cursor column. Each pass reads the changes since the
 * watermark (see `keyset-pass.ts`). The stored watermark stays `lagSeconds` behind the server's
 * clock, because a change may take some time to appear in the list.
 *
 * A first sync reads the most recent window, then earlier windows of increasing length back to the
 * start of the history. Meanwhile, recent changes are read every few minutes, and coverage is
 * reported after each window. A run may stop before the history is complete. The next run then
 * continues the backfill.
 */
export async function* readKeyset(
  reader: ObjectReader,
  strategy: KeysetStrategy,
  from: KeysetPosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  yield* new KeysetReader(reader, strategy, from, options).read();
}

class KeysetReader {
  readonly #reader: ObjectReader;
  readonly #strategy: KeysetStrategy;
  readonly #options: ReadOptions;
  readonly #history: HistoryWindows;
  #position: KeysetPosition;
  #serverTime: Date;
  /** This extraction has read the recent changes. */
  #hasReadChanges = false;

  constructor(reader: ObjectReader, strategy: KeysetStrategy, from: KeysetPosition | null, options: ReadOptions) {
    this.#reader = reader;
    this.#strategy = strategy;
    this.#options = options;
    const { hasHistoryLimit } = reader.object;
    const start = hasHistoryLimit && options.historyFrom ? formatSeconds(options.historyFrom) : UNIX_EPOCH;
    this.#serverTime = reader.now();
    this.#history = new HistoryWindows(this.#serverTime, getLater(from?.skippedUntil ?? null, start));
    this.#position = from ?? { backTo: this.#history.firstBackTo, views: {}, window: null };
  }

  async *read(): AsyncGenerator<Page> {
    const deadline = this.#options.backfillDeadline?.getTime() ?? Number.POSITIVE_INFINITY;
    // A backfill may take many slices and several runs. While history remains, do not read recent
    // changes at the start of every slice, but only when the interval between two reads has passed.
    if (!this.#hasHistoryLeft() || this.#isRefreshDue(this.#reader.now())) yield* this.#readChanges();
    while (this.#hasHistoryLeft() && this.#reader.now().getTime() < deadline) {
      yield* this.#readWindow(this.#position.window ?? this.#history.getWindowBefore(this.#position.backTo));
      if (this.#isRefreshDue(this.#serverTime)) yield* this.#readChanges();
    }
    // Every run reads the recent changes at least once.
    if (!this.#hasReadChanges) yield* this.#readChanges();
    yield this.#createCoveragePage({ isLast: true });
  }

  #hasHistoryLeft(): boolean {
    return this.#position.window !== null || this.#history.isIncomplete(this.#position.backTo);
  }

  /** Whether too much time has passed since recent changes were last read. */
  #isRefreshDue(now: Date): boolean {
    return this.#reader.object.views.some(({ name }) => {
      const { watermark, pass, readAt } = this.#getViewPosition(name);
      // The watermark does not show when changes were last read, because a slow clock holds the
      // watermark back.
      const lastReadAt =
        readAt === undefined
          ? Date.parse(watermark ?? UNIX_EPOCH) + this.#strategy.lagSeconds * 1000
          : Date.parse(readAt);
      return watermark === null || pass !== null || now.getTime() - lastReadAt > REFRESH_INTERVAL_MS;
    });
  }

  #getViewPosition(name: string): ViewPosition {
    return this.#position.views[name] ?? { watermark: null, pass: null };
  }

  #setViewPosition(name: string, view: ViewPosition): void {
    this.#position = { ...this.#position, views: { ...this.#position.views, [name]: view } };
  }

  /**
   * Reads the changes since the last pass of each view, or the most recent window in a first sync.
   */
  async *#readChanges(): AsyncGenerator<Page> {
    for (const view of this.#reader.object.views) yield* this.#readViewChanges(view);
    this.#hasReadChanges = true;
    yield this.#createCoveragePage();
  }

  async *#readViewChanges(view: ListView): AsyncGenerator<Page> {
    const list = { reader: this.#reader, strategy: this.#strategy, view };
    const viewPosition = this.#getViewPosition(view.name);
    const start = this.#getStart(view, viewPosition);
    if (view.deleteKind !== null && viewPosition.pass === null) {
      const unchangedAt = await confirmUnchanged(list, start);
      if (unchangedAt !== null) return this.#finishView(view, viewPosition, unchangedAt.toISOString());
    }
    const discardPass = () => this.#setViewPosition(view.name, { ...viewPosition, pass: null });
    for await (const step of discardOnLoop(readPass(list, viewPosition.pass ?? startPass(start)), discardPass)) {
      if (step === null) {
        yield this.#createResetPage();
        continue;
      }
      this.#addStep(step);
      if (step.pass === null) this.#finishView(view, viewPosition, step.beganAt);
      else this.#setViewPosition(view.name, { ...viewPosition, pass: step.pass });
      const isFirstView = view === this.#reader.object.views[0];
      const share = isFirstView ? getPassShare(step.pass, start, this.#serverTime) : 1;
      yield this.#createStepPage(view, step, this.#getChangesProgress(viewPosition, share));
    }
  }

  #getStart(view: ListView, { watermark, newest }: ViewPosition): string {
    if (watermark !== null) return getReadStart(watermark, newest);
    // Lists of deleted records are short (Freshdesk empties them after 30 days), so they are read
    // from their start.
    return view.deleteKind === null ? this.#position.backTo : UNIX_EPOCH;
  }

  /**
   * @param beganAt the start of the pass. A complete pass has read every change that was visible at
   * that time.
   */
  #finishView(view: ListView, { watermark }: ViewPosition, beganAt: string): void {
    const coveredTo = this.#reader.capCoverage(beganAt).getTime() - this.#strategy.lagSeconds * 1000;
    this.#setViewPosition(view.name, {
      watermark: getLater(watermark, formatSeconds(new Date(coveredTo))),
      pass: null,
      newest: this.#position.newest,
      readAt: beganAt,
    });
  }

  /** @param share the share of the changes that has been read, from 0 to 1. */
  #getChangesProgress({ watermark }: ViewPosition, share: number): number | null {
    if (watermark === null) return this.#history.getProgress(this.#position.backTo, share - 1);
    // During a backfill, the progress of recent changes does not show how much history remains.
    return this.#hasHistoryLeft() ? null : share;
  }

  /**
   * Reads one history window. Records that change in the meantime leave the window, and are read
   * with the recent changes.
   */
  async *#readWindow(window: HistoryWindow): AsyncGenerator<Page> {
    const view = this.#reader.object.views[0] as ListView;
    const list = { reader: this.#reader, strategy: this.#strategy, view };
    const pass = readPass(list, window.pass ?? startPass(window.from), {
      until: window.to,
      creditClass: 'backfill',
      canReadAhead: () => !this.#isRefreshDue(this.#serverTime),
    });
    const discardPass = () => {
      this.#position = { ...this.#position, window: { ...window, pass: null } };
    };
    for await (const step of discardOnLoop(pass, discardPass)) {
      if (step === null) {
        yield this.#createResetPage();
        continue;
      }
      this.#addStep(step);
      if (step.pass === null) this.#finishWindow(window);
      else this.#position = { ...this.#position, window: { ...window, pass: step.pass } };
      const share = getPassShare(step.pass, window.from, new Date(window.to));
      yield this.#createStepPage(view, step, this.#history.getProgress(window.to, share));
      // Recent changes have priority over the history. The read of the window continues later from
      // the stored position.
      if (step.pass !== null && !step.hasPendingRequest && this.#isRefreshDue(this.#serverTime)) return;
    }
    yield this.#createCoveragePage();
  }

  #finishWindow(window: HistoryWindow): void {
    const { newest } = this.#position;
    // If all later windows were empty, the latest time in the cursor column is in this window.
    const views = Object.fromEntries(
      Object.entries(this.#position.views).map(([name, view]) => [name, { ...view, newest: view.newest ?? newest }]),
    );
    this.#position = { ...this.#position, backTo: window.from, window: null, views };
  }

  #addStep({ serverTime, records }: PassStep): void {
    this.#serverTime = serverTime;
    const newest = getNewestVersion(this.#position.newest, records, this.#strategy.cursorColumn);
    this.#position = { ...this.#position, newest };
  }

  #createStepPage(
    view: ListView,
    { records, failedUnits, hasPendingRequest }: PassStep,
    progress: number | null,
  ): Page {
    return createRecordPage(this.#reader, this.#options, {
      view,
      records,
      position: this.#position,
      extractedAt: this.#serverTime,
      failedUnits,
      progress,
      hasPendingRequest,
    });
  }

  /** Creates the page that stores the position without a discarded pass. */
  #createResetPage(): Page {
    return createPage({ position: this.#position, extractedAt: this.#serverTime, hasPendingRequest: true });
  }

  #createCoveragePage(parts: Partial<Page> = {}): Page {
    const coverage = this.#getCoverage();
    return createPage({ position: this.#position, extractedAt: this.#serverTime, coverage, ...parts });
  }

  #getCoverage(): Coverage {
    const times = this.#reader.object.views.map(({ name }) =>
      Date.parse(this.#getViewPosition(name).watermark ?? UNIX_EPOCH),
    );
    return { completeAsOf: new Date(Math.min(...times)), completeBackTo: new Date(this.#position.backTo) };
  }
}

/**
 * Yields the pages of a pass. If the list does not end, the cursor of the pass is not reliable, so
 * the pass is discarded.
 * @param discard removes the pass from the position.
 * @returns the pages. If the list does not end, null follows before the error is thrown, so that
 * the caller stores the position without the pass.
 */
async function* discardOnLoop(pass: AsyncGenerator<PassStep>, discard: () => void): AsyncGenerator<PassStep | null> {
  try {
    yield* pass;
  } catch (error) {
    if (!isLoopError(error)) throw error;
    discard();
    yield null;
    throw error;
  }
}
