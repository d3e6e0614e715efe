import type { ObjectReader } from '../object-reader.ts';
import type { ChildWork, FailedUnit, Page } from '../page.ts';
import { FailureJudge, failedUnit, isUnitError } from './unit-failures.ts';

/** Units read concurrently: their responses are small, and reading them one by one would leave credits unused. */
const IN_FLIGHT = 8;
/** Units that are tried as evidence that the endpoint works. */
const REFERENCES_MAX = 3;

export interface ItemRead {
  readonly readAt: Date;
  readonly page: Pick<Page, 'lines' | 'records' | 'settled' | 'work'>;
}

export interface WorkListStep {
  readonly readAt: Date;
  readonly page: ItemRead['page'] & Pick<Page, 'failed'>;
  readonly ahead: boolean;
}

export interface WorkList {
  /** The next units, at most `limit`; none when the list is empty. */
  readonly next: (limit: number) => Promise<readonly ChildWork[]>;
  readonly read: (item: ChildWork) => Promise<ItemRead>;
  /** Units that were read before. */
  readonly readable?: (() => Promise<readonly ChildWork[]>) | undefined;
}

type Outcome =
  | { readonly item: ChildWork; readonly read: ItemRead }
  | { readonly item: ChildWork; readonly error: unknown };

/**
 * Reads the units of a durable work list, several at once, until it is empty. A unit that fails is reported in `failed`; the others continue.
 * @throws AppError when the account fails rather than single units. Units in flight are already paid for, so they are yielded first.
 */
export async function* readWorkList(reader: ObjectReader, list: WorkList): AsyncGenerator<WorkListStep> {
  const queue: ChildWork[] = [];
  const inFlight = new Map<ChildWork, Promise<Outcome>>();
  let lastRead: ChildWork | null = null;
  let drained = false;
  let stopped: unknown = null;
  const judge = new FailureJudge(async () => {
    const references: readonly ChildWork[] = lastRead === null ? ((await list.readable?.()) ?? []) : [lastRead];
    if (references.length === 0) return null;
    for (const item of references.slice(0, REFERENCES_MAX)) {
      try {
        await list.read(item);
        return true;
      } catch (error) {
        if (!isUnitError(error)) throw error;
      }
    }
    return false;
  });
  const step = ({ readAt, page }: ItemRead, failed: readonly FailedUnit[]): WorkListStep => ({
    readAt,
    page: { ...page, failed },
    ahead: inFlight.size > 0,
  });
  for (;;) {
    if (queue.length === 0 && !drained && stopped === null) {
      const more = await list.next(IN_FLIGHT * 8);
      drained = more.length === 0;
      queue.push(...more);
    }
    while (
      stopped === null &&
      inFlight.size < IN_FLIGHT &&
      queue.length > 0 &&
      (inFlight.size === 0 || reader.mayReadAhead())
    ) {
      const item = queue.shift() as ChildWork;
      inFlight.set(
        item,
        list.read(item).then(
          (read) => ({ item, read }),
          (error: unknown) => ({ item, error }),
        ),
      );
    }
    if (inFlight.size === 0) break;
    const outcome = await Promise.race(inFlight.values());
    inFlight.delete(outcome.item);
    if ('read' in outcome) {
      lastRead = outcome.item;
      yield step(outcome.read, stopped === null ? judge.succeeded() : []);
      continue;
    }
    const { item, error } = outcome;
    try {
      if (stopped !== null || !isUnitError(error)) throw error;
      const own = await judge.failed(failedUnit(reader.object.name, item.parentId, error), error);
      if (own.length > 0) yield step(nothingRead(reader.now()), own);
    } catch (failure) {
      stopped = stopped ?? failure;
    }
  }
  if (stopped !== null) throw stopped;
  const own = await judge.finished();
  if (own.length > 0) yield step(nothingRead(reader.now()), own);
}

function nothingRead(readAt: Date): ItemRead {
  return { readAt, page: { lines: [], records: 0, settled: [], work: [] } };
}
