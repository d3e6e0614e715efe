import { AppError, type CompleteLine, recordLine } from '@freshet/contracts';
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
  const inFlight = new Map<number, Promise<{ readonly ticket: number; readonly result: ParentRead | Failure }>>();
  let ticket = 0;
  let drained = false;
  let failure: Failure | null = null;
  let lastRead = new Date();
  for (;;) {
    if (queue.length === 0 && !drained && failure === null) {
      const next = await options.nextParents(PARENTS_IN_FLIGHT * 8);
      drained = next.length === 0;
      queue.push(...next);
    }
    while (failure === null && inFlight.size < PARENTS_IN_FLIGHT && queue.length > 0) {
      const mine = ticket++;
      const parent = queue.shift() as ChildWork;
      inFlight.set(
        mine,
        readParent(reader, way, parent, options).then(
          (result) => ({ ticket: mine, result }),
          (error: unknown) => ({ ticket: mine, result: { failed: error } }),
        ),
      );
    }
    if (inFlight.size === 0) break;
    const settled = await Promise.race(inFlight.values());
    inFlight.delete(settled.ticket);
    if ('failed' in settled.result) {
      // What the others in flight have read is paid for: it is yielded before the failure is.
      failure = failure ?? settled.result;
      continue;
    }
    lastRead = settled.result.readAt;
    yield page({ ...settled.result.page, extractedAt: settled.result.readAt, position: {} });
  }
  if (failure !== null) throw failure.failed;
  yield page({ position: {}, extractedAt: lastRead, finished: { completeAsOf: lastRead, completeBackTo: new Date(0) } });
}

interface Failure {
  readonly failed: unknown;
}

interface ParentRead {
  readonly readAt: Date;
  readonly page: Pick<Page, 'lines' | 'records' | 'settled' | 'work'>;
}

async function readParent(reader: ObjectReader, way: Children, parent: ChildWork, options: ReadOptions): Promise<ParentRead> {
  let records: ListedRecord[] = [];
  let reading = 1;
  let beganAt: string | null = null;
  let readAt = new Date();
  try {
    for await (const step of readWhole((n) => reader.list({}, n, parent.parentId), reader.object.primaryKey, startWhole(null))) {
      readAt = step.serverTime;
      beganAt = beganAt ?? step.serverTime.toISOString();
      records.push(...step.records);
      if (step.outcome === 'unsettled') {
        throw new AppError('source_unavailable', `The ${reader.object.name} of ${way.parent} ${parent.parentId} changed in every one of several readings.`);
      }
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
      lines: [...records.map((record) => recordLine(record.text, null)), JSON.stringify(complete)],
      records: records.length,
      work: workFor(reader.object, records, options.readingId),
      settled: [parent],
    },
  };
}
