import { DAY_MS, formatSeconds, getLater, toUnixSeconds } from '../lists/timestamps.ts';
import type { KeysetPass } from './keyset-pass.ts';

/** A time range of the history that is read after the recent changes. */
export interface HistoryWindow {
  readonly from: string;
  readonly to: string;
  /** The state of the pass through the window; null: not started. */
  readonly pass: KeysetPass | null;
}

/**
 * The length of the most recent window in days. The window is short, so that reports are useful
 * within minutes.
 */
const RECENT_DAYS = 30;

/**
 * The plan of a backfill: the windows from the most recent one back to the start of the history.
 */
export class HistoryWindows {
  /** The start of the history, in RFC 3339. */
  readonly target: string;
  /** The start of the most recent window. */
  readonly #recentFrom: string;
  /** The starts of the earlier windows in Unix seconds, the latest first; null: not computed. */
  #earlierStarts: readonly number[] | null = null;

  /** @param target the start of the history, in RFC 3339. */
  constructor(now: Date, target: string) {
    this.target = target;
    this.#recentFrom = formatSeconds(new Date(now.getTime() - RECENT_DAYS * DAY_MS));
  }

  /** The start of the first window of a first sync. */
  get firstBackTo(): string {
    // A separate window of less than a day would cost a request and contain few records.
    const isShort = toUnixSeconds(this.#recentFrom) - toUnixSeconds(this.target) < DAY_MS / 1000;
    return isShort ? this.target : this.#recentFrom;
  }

  /** Whether history before the given time still has to be read. */
  isIncomplete(backTo: string): boolean {
    return toUnixSeconds(backTo) > toUnixSeconds(this.target);
  }

  /**
   * Returns the window that ends at a given time. The window is as long as all later windows
   * together, so few windows are needed to reach the target.
   */
  getWindowBefore(backTo: string): HistoryWindow {
    const recentTo = Date.parse(this.#recentFrom) + RECENT_DAYS * DAY_MS;
    const lengthMs = Math.max(RECENT_DAYS * DAY_MS, recentTo - Date.parse(backTo));
    const from = formatSeconds(new Date(Math.max(0, Date.parse(backTo) - lengthMs)));
    return { from: getLater(this.target, from), to: backTo, pass: null };
  }

  /**
   * Returns the share of the windows that has been read, from 0 to 1.
   * @param backTo the start of the range whose windows are complete.
   * @param additional the number of windows to add, which can be negative or a fraction.
   */
  getProgress(backTo: string, additional: number): number {
    this.#earlierStarts ??= this.#listEarlierStarts();
    const completeTo = toUnixSeconds(backTo);
    const done = 1 + this.#earlierStarts.filter((start) => start >= completeTo).length;
    return Math.min(1, Math.max(0, (done + additional) / (1 + this.#earlierStarts.length)));
  }

  #listEarlierStarts(): number[] {
    const starts: number[] = [];
    for (let from = this.#recentFrom; this.isIncomplete(from); ) {
      ({ from } = this.getWindowBefore(from));
      starts.push(toUnixSeconds(from));
    }
    return starts;
  }
}

/** Returns the number of windows that a first sync reads in addition to the most recent window. */
export function countEarlierWindows(historyFrom: Date): number {
  const days = (Date.now() - historyFrom.getTime()) / DAY_MS;
  return Math.max(0, Math.ceil(Math.log2(days / RECENT_DAYS)));
}
