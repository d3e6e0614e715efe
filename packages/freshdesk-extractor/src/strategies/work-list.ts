import type { ObjectReader } from '../reader/object-reader.ts';
import type { FailedUnit, Page, WorkUnit } from '../reader/page.ts';
import { createFailedUnit, FailureClassifier, isUnitError } from '../reader/unit-failures.ts';

/**
 * The number of units that are read concurrently. The responses are small, and reading the units
 * one by one would leave credits unused.
 */
const CONCURRENCY = 8;
/** The number of units that are fetched from the durable work list at once. */
const FETCH_SIZE = CONCURRENCY * 8;
/** The maximum number of units that are read as evidence that the endpoint works. */
const REFERENCES_MAX = 3;

/** The result of one unit. */
export interface UnitResult {
  readonly readAt: Date;
  readonly page: Pick<Page, 'lines' | 'recordCount' | 'completedUnits' | 'childWork'>;
}

export interface WorkListStep {
  readonly readAt: Date;
  readonly page: UnitResult['page'] & Pick<Page, 'failedUnits'>;
  /** Requests for other units are in flight. */
  readonly hasPendingRequest: boolean;
}

export interface WorkList {
  /** Returns the next units, at most `limit`; an empty array if the list is empty. */
  readonly fetchUnits: (limit: number) => Promise<readonly WorkUnit[]>;
  readonly readUnit: (unit: WorkUnit) => Promise<UnitResult>;
  /** Returns units that earlier extractions have read. */
  readonly fetchReadable?: (() => Promise<readonly WorkUnit[]>) | undefined;
}

type UnitOutcome =
  | { readonly unit: WorkUnit; readonly result: UnitResult }
  | { readonly unit: WorkUnit; readonly error: unknown };

/**
 * Reads the units of a durable work list concurrently until it is empty. A unit that keeps failing
 * is reported in `failedUnits`, and the remaining units continue.
 * @throws AppError if the account fails. Units in flight have already been charged, so their
 * results are yielded first.
 */
export async function* readWorkList(reader: ObjectReader, list: WorkList): AsyncGenerator<WorkListStep> {
  yield* new WorkListReader(reader, list).read();
}

class WorkListReader {
  readonly #reader: ObjectReader;
  readonly #list: WorkList;
  readonly #classifier: FailureClassifier;
  readonly #queue: WorkUnit[] = [];
  readonly #inFlight = new Map<WorkUnit, Promise<UnitOutcome>>();
  #lastRead: WorkUnit | null = null;
  #isListEmpty = false;
  /** The failure of the account; null: none. */
  #error: unknown = null;

  constructor(reader: ObjectReader, list: WorkList) {
    this.#reader = reader;
    this.#list = list;
    this.#classifier = new FailureClassifier(() => this.#readReference());
  }

  async *read(): AsyncGenerator<WorkListStep> {
    for (;;) {
      await this.#fillQueue();
      this.#startUnits();
      if (this.#inFlight.size === 0) break;
      const outcome = await Promise.race(this.#inFlight.values());
      this.#inFlight.delete(outcome.unit);
      if ('result' in outcome) {
        this.#lastRead = outcome.unit;
        yield this.#createStep(outcome.result, this.#error === null ? this.#classifier.recordSuccess() : []);
        continue;
      }
      const failedUnits = await this.#classifyFailure(outcome.unit, outcome.error);
      if (failedUnits.length > 0) yield this.#createStep(createEmptyResult(this.#reader.now()), failedUnits);
    }
    if (this.#error !== null) throw this.#error;
    const failedUnits = await this.#classifier.finish();
    if (failedUnits.length > 0) yield this.#createStep(createEmptyResult(this.#reader.now()), failedUnits);
  }

  async #fillQueue(): Promise<void> {
    if (this.#queue.length > 0 || this.#isListEmpty || this.#error !== null) return;
    const units = await this.#list.fetchUnits(FETCH_SIZE);
    this.#isListEmpty = units.length === 0;
    this.#queue.push(...units);
  }

  #startUnits(): void {
    while (
      this.#error === null &&
      this.#inFlight.size < CONCURRENCY &&
      this.#queue.length > 0 &&
      (this.#inFlight.size === 0 || this.#reader.canReadAhead())
    ) {
      const unit = this.#queue.shift() as WorkUnit;
      const outcome = this.#list.readUnit(unit).then(
        (result) => ({ unit, result }),
        (error: unknown) => ({ unit, error }),
      );
      this.#inFlight.set(unit, outcome);
    }
  }

  async #classifyFailure(unit: WorkUnit, error: unknown): Promise<readonly FailedUnit[]> {
    try {
      if (this.#error !== null || !isUnitError(error)) throw error;
      const failedUnit = createFailedUnit(this.#reader.object.name, unit.parentId, error);
      return await this.#classifier.recordFailure(failedUnit, error);
    } catch (accountError) {
      this.#error ??= accountError;
      return [];
    }
  }

  async #readReference(): Promise<boolean | null> {
    const { fetchReadable, readUnit } = this.#list;
    const references = this.#lastRead === null ? ((await fetchReadable?.()) ?? []) : [this.#lastRead];
    if (references.length === 0) return null;
    for (const unit of references.slice(0, REFERENCES_MAX)) {
      try {
        await readUnit(unit);
        return true;
      } catch (error) {
        if (!isUnitError(error)) throw error;
      }
    }
    return false;
  }

  #createStep({ readAt, page }: UnitResult, failedUnits: readonly FailedUnit[]): WorkListStep {
    return { readAt, page: { ...page, failedUnits }, hasPendingRequest: this.#inFlight.size > 0 };
  }
}

function createEmptyResult(readAt: Date): UnitResult {
  return { readAt, page: { lines: [], recordCount: 0, completedUnits: [], childWork: [] } };
}
