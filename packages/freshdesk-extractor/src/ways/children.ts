import { AppError, type CompleteLine, type ErrorCode, recordLine } from '@freshet/contracts';
import type { Children } from '../catalogue/define.ts';
import type { ListedRecord } from '../client.ts';
import { type ChildWork, keyTexts, type Page, page, type ReadOptions } from '../pages.ts';
import { type ObjectReader, workFor } from '../reader.ts';
import { readWhole, startWhole } from './whole.ts';

/**
 * Reads what exists only below a parent: for each parent on the durable work list, its whole list. The answer
 * is complete, so what it no longer holds is deleted. A parent that is gone is settled, too; one that fails
 * stays on the list.
 */

/** Parents in flight at once: their answers are small, and waiting for one after the other would leave credits unused. */
const PARENTS_IN_FLIGHT = 8;

export async function* readChildren(reader: ObjectReader, way: Children, options: ReadOptions): AsyncGenerator<Page> {
  const queue: ChildWork[] = [];
  const inFlight = new Map<ChildWork, Promise<Outcome>>();
  const failed: AppError[] = [];
  let failedInARow = 0;
  let drained = false;
  let stopped: unknown = null;
  let lastRead = new Date();
  for (;;) {
    if (queue.length === 0 && !drained && stopped === null) {
      const next = await options.nextParents(PARENTS_IN_FLIGHT * 8);
      drained = next.length === 0;
      queue.push(...next);
    }
    while (stopped === null && inFlight.size < PARENTS_IN_FLIGHT && queue.length > 0) {
      const parent = queue.shift() as ChildWork;
      inFlight.set(
        parent,
        readParent(reader, way, parent, options).then(
          (read) => ({ parent, read }),
          (error: unknown) => ({ parent, error }),
        ),
      );
    }
    if (inFlight.size === 0) break;
    const outcome = await Promise.race(inFlight.values());
    inFlight.delete(outcome.parent);
    if ('read' in outcome) {
      failedInARow = 0;
      lastRead = outcome.read.readAt;
      yield page({ ...outcome.read.page, extractedAt: outcome.read.readAt, position: {} });
      continue;
    }
    // One parent's trouble is its own; the account's, or one that meets every parent, ends the reading. What the
    // others in flight have read is paid for, so it is yielded first.
    const { error } = outcome;
    if (error instanceof AppError && ITS_OWN_TROUBLE.has(error.code) && ++failedInARow < FAILED_IN_A_ROW_MAX) failed.push(error);
    else stopped = stopped ?? error;
  }
  if (stopped !== null) throw stopped;
  const [first] = failed;
  if (first) {
    throw new AppError(
      first.code,
      `${reader.object.name}: ${failed.length} of ${way.parent} could not be read, and will be tried again. The first: ${first.message}`,
      { cause: first },
    );
  }
  yield page({ position: {}, extractedAt: lastRead, reached: { completeAsOf: lastRead, completeBackTo: new Date(0) }, finished: true });
}

const ITS_OWN_TROUBLE = new Set<ErrorCode>(['source_unavailable', 'source_contract', 'source_invalid_request']);
/** So many failures in a row are an outage, and no reason to try every parent. */
const FAILED_IN_A_ROW_MAX = 10;

type Outcome = { readonly parent: ChildWork; readonly read: ParentRead } | { readonly parent: ChildWork; readonly error: unknown };

interface ParentRead {
  readonly readAt: Date;
  readonly page: Pick<Page, 'lines' | 'records' | 'settled' | 'work'>;
}

async function readParent(reader: ObjectReader, way: Children, parent: ChildWork, options: ReadOptions): Promise<ParentRead> {
  let records: ListedRecord[] = [];
  let reading = 1;
  let beganAt: string | null = null;
  let unsettled = false;
  let readAt = new Date();
  try {
    for await (const step of readWhole((n) => reader.list({}, n, { parentId: parent.parentId }), reader.object.primaryKey, startWhole(null))) {
      readAt = step.serverTime;
      beganAt = beganAt ?? step.serverTime.toISOString();
      records.push(...step.records);
      unsettled = step.outcome === 'unsettled';
      if (step.state.reading !== reading && step.outcome === 'next') {
        reading = step.state.reading;
        records = [];
        beganAt = null;
      }
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Some parents in the trash refuse their children (403): what was read of them before stays as it is.
    if (error.code === 'source_forbidden') return { readAt, page: { lines: [], records: 0, work: [], settled: [parent] } };
    if (error.code !== 'source_not_found') throw error;
    // The parent does not exist any more (404), and so do its children.
    records = [];
    beganAt = readAt.toISOString();
  }
  const complete: CompleteLine = {
    complete: {
      where: { [way.column]: parent.parentId },
      keys: records.map((record) => keyTexts(record, reader.object.primaryKey)),
      began_at: beganAt ?? readAt.toISOString(),
    },
  };
  return {
    readAt,
    page: {
      // Nothing is concluded from what a list that never held still did not show.
      lines: [...records.map((record) => recordLine(withParent(record, way.column, parent.parentId), null)), ...(unsettled ? [] : [JSON.stringify(complete)])],
      records: records.length,
      work: workFor(reader.object, records, options.readingId),
      settled: [parent],
    },
  };
}

/** The record's text; where the list leaves out which parent it belongs to, that is added. */
function withParent(record: ListedRecord, column: string, parentId: string): string {
  if (column in record.fields) return record.text;
  const own = record.text.slice(record.text.indexOf('{') + 1);
  return `{${JSON.stringify(column)}:${parentId}${own.trimStart().startsWith('}') ? '' : ','}${own}`;
}
