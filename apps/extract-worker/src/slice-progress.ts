import type { ControlStore, ObjectRunLease } from '@freshet/control-store';
import { countRecords, type FreshdeskClient, type ObjectSpec } from '@freshet/freshdesk-extractor';

/**
 * The progress of an object run. For a child object, the progress is the share of its queue that
 * has been read. For other objects, the progress is the share of the expected records that have
 * been extracted.
 */
export class SliceProgress {
  readonly #store: ControlStore;
  readonly #lease: ObjectRunLease;
  readonly #object: ObjectSpec;
  /**
   * The progress of the parent object run, from 0 to 1; null when unknown. It scales the progress
   * of the child, because the queue of the child grows until its parent has finished.
   */
  parentProgress: number | null = 1;
  readonly #units: { done: number; total: number };
  readonly #records: { done: number; expected: number | null | undefined };

  constructor(store: ControlStore, lease: ObjectRunLease, object: ObjectSpec) {
    this.#store = store;
    this.#lease = lease;
    this.#object = object;
    this.#units = { done: lease.unitsDone, total: 0 };
    this.#records = { done: lease.recordsExtracted, expected: lease.recordsExpected ?? undefined };
  }

  get #isChild(): boolean {
    return this.#object.strategy.kind === 'children';
  }

  /** Counts the units in the queue of a child object. Does nothing for other objects. */
  async countUnits(): Promise<void> {
    if (!this.#isChild) return;
    this.#units.total = this.#lease.unitsDone + (await this.#store.extraction.countPendingUnits(this.#lease));
  }

  /**
   * Adds the records and units of one step.
   * @returns the progress, from 0 to 1, of the object run after the step is committed; null when
   *   unknown.
   */
  addStep(step: { readonly records: number; readonly units: number }): number | null {
    if (this.#isChild) {
      this.#units.done += step.units;
      const { done, total } = this.#units;
      return this.parentProgress === null || total === 0 ? null : this.parentProgress * Math.min(1, done / total);
    }
    this.#records.done += step.records;
    const { done, expected } = this.#records;
    return expected == null || expected === 0 ? null : Math.min(1, done / expected);
  }

  /**
   * Determines the expected number of records once, after more than one page has been read. For an
   * object that is always read as a full list, this is the number of records in the last run. If
   * the mode of the object run is `full`, the search of the Freshdesk account counts the records.
   * In all other cases the number stays unknown, and the estimate of the strategy is used.
   * @param bufferedRecords the number of records that have been read but are not yet part of a
   *   step.
   */
  async estimateRecords(client: FreshdeskClient, bufferedRecords: number): Promise<void> {
    if (this.#records.expected !== undefined) return;
    const { strategy, hasHistoryLimit, pageSize } = this.#object;
    if (strategy.kind === 'children' || this.#lease.isAudit) {
      this.#records.expected = null;
      return;
    }
    // An object that fits on one page finishes before its progress is useful.
    if (this.#records.done + bufferedRecords <= pageSize) return;
    let expected: number | null = null;
    if (strategy.kind === 'full-list') expected = await this.#store.extraction.getLastRecordCount(this.#lease);
    else if (this.#lease.mode === 'full')
      expected = await countRecords(client, this.#object, hasHistoryLimit ? this.#lease.historyFrom : null);
    if (expected !== null) await this.#store.extraction.setExpectedRecords(this.#lease, expected);
    this.#records.expected = expected;
  }
}
