import { AppError, type ErrorCode } from '@freshet/contracts';
import type { ChildWork, Page } from '../pages.ts';
import type { ObjectReader } from '../reader.ts';

/** Items in flight at once: their answers are small, and waiting for one after the other would leave credits unused. */
const IN_FLIGHT = 8;
/** So many failures in a row are an outage, and no reason to try every item. */
const FAILED_IN_A_ROW_MAX = 10;
const ITS_OWN_TROUBLE = new Set<ErrorCode>(['source_unavailable', 'source_contract', 'source_too_large', 'source_invalid_request']);

export interface ItemRead {
  readonly readAt: Date;
  readonly page: Pick<Page, 'lines' | 'records' | 'settled' | 'work'>;
}

type Outcome = { readonly item: ChildWork; readonly read: ItemRead } | { readonly item: ChildWork; readonly error: unknown };

/**
 * Reads the items of a durable work list, several at once, until it is empty. One item's trouble is its own: it stays on
 * the list, and the others go on.
 * @throws AppError at the end, when some could not be read; at once, when it is the account's trouble. What the others in
 * flight have read is paid for, so it is yielded first.
 */
export async function* readWorkList(
  reader: ObjectReader,
  name: string,
  next: (limit: number) => Promise<readonly ChildWork[]>,
  readItem: (item: ChildWork) => Promise<ItemRead>,
): AsyncGenerator<ItemRead & { readonly ahead: boolean }> {
  const queue: ChildWork[] = [];
  const inFlight = new Map<ChildWork, Promise<Outcome>>();
  const failed: AppError[] = [];
  let failedInARow = 0;
  let drained = false;
  let stopped: unknown = null;
  for (;;) {
    if (queue.length === 0 && !drained && stopped === null) {
      const more = await next(IN_FLIGHT * 8);
      drained = more.length === 0;
      queue.push(...more);
    }
    while (stopped === null && inFlight.size < IN_FLIGHT && queue.length > 0 && (inFlight.size === 0 || reader.mayReadAhead())) {
      const item = queue.shift() as ChildWork;
      inFlight.set(
        item,
        readItem(item).then(
          (read) => ({ item, read }),
          (error: unknown) => ({ item, error }),
        ),
      );
    }
    if (inFlight.size === 0) break;
    const outcome = await Promise.race(inFlight.values());
    inFlight.delete(outcome.item);
    if ('read' in outcome) {
      failedInARow = 0;
      yield { ...outcome.read, ahead: inFlight.size > 0 };
      continue;
    }
    const { error } = outcome;
    if (error instanceof AppError && ITS_OWN_TROUBLE.has(error.code) && ++failedInARow < FAILED_IN_A_ROW_MAX) failed.push(error);
    else stopped = stopped ?? error;
  }
  if (stopped !== null) throw stopped;
  const [first] = failed;
  if (!first) return;
  throw new AppError(first.code, `${failed.length} of ${name} could not be read, and will be tried again. The first: ${first.message}`, { cause: first });
}
