import { AppError, batchLine, type GoneLine } from '@freshet/contracts';
import type { View } from '../catalogue/define.ts';
import type { ListedRecord } from '../http/client.ts';
import { type ObjectReader, recordPage, viewOf } from '../object-reader.ts';
import { type ChildWork, type Page, type Position, page, type ReadOptions, type Settled } from '../page.ts';
import { type ItemRead, readWorkList } from './units.ts';

/**
 * Looks up single records by their own address: deletion candidates and gaps that an audit found, records that a client requested, and
 * records whose lookup failed before.
 *
 * @param position the position of the reading, which lookups do not change.
 */
export async function* lookUpRecords(
  reader: ObjectReader,
  position: Position,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const list = { next: options.nextParents, read: (item: ChildWork) => lookUp(reader, item, options) };
  for await (const { readAt, page: read, ahead } of readWorkList(reader, list))
    yield page({ ...read, extractedAt: readAt, position, ahead });
}

/** Looks up one record by its own address. */
async function lookUp(reader: ObjectReader, suspect: ChildWork, options: ReadOptions): Promise<ItemRead> {
  const { object } = reader;
  const settle = (name: string, lasting: boolean): Settled[] => [{ ...suspect, outcome: { name, lasting } }];
  let asked = reader.now();
  const found = (record: ListedRecord, view: View, outcome: Settled[], readAt: Date): ItemRead => {
    const { lines, records, work } = recordPage(reader, options, {
      view,
      records: [record],
      position: {},
      extractedAt: readAt,
    });
    return { readAt, page: { lines, records, work, settled: outcome } };
  };
  try {
    asked = reader.now();
    const own = await reader.view(suspect.parentId);
    if (own !== null) {
      // It exists: it moved while the lists were read, and the next sync shows how. A number that nobody had is loaded at once.
      if (suspect.version === 'asked')
        return found(own, viewOf(object, own), settle('refreshed', false), own.serverTime);
      if (suspect.version === 'gap') return found(own, viewOf(object, own), settle('recovered', false), own.serverTime);
      return { readAt: own.serverTime, page: { lines: [], records: 0, work: [], settled: settle('present', false) } };
    }
    for (const elsewhere of object.single?.elsewhere ?? []) {
      const other = await reader.view(suspect.parentId, { path: elsewhere.path }).catch(ignoreMissingFeature);
      if (other === null) continue;
      if (elsewhere.deleted === null)
        return found(other, object.views[0] as View, settle(elsewhere.outcome, true), other.serverTime);
      return gone(suspect, elsewhere.deleted, settle(elsewhere.outcome, false), other.serverTime);
    }
    return gone(suspect, 'not_found', settle('not_found', suspect.version === 'gap'), asked);
  } catch (error) {
    // The key may not see it, so nothing can be said of it.
    if (error instanceof AppError && error.code === 'source_forbidden') {
      return { readAt: asked, page: { lines: [], records: 0, work: [], settled: settle('forbidden', false) } };
    }
    throw error;
  }
}

function gone(suspect: ChildWork, kind: string, settled: Settled[], at: Date): ItemRead {
  const line: GoneLine = { gone: { key: [suspect.parentId], kind, at: at.toISOString() } };
  return {
    readAt: at,
    page: { lines: suspect.version === 'gap' ? [] : [batchLine(line)], records: 0, work: [], settled },
  };
}

/** Where the plan lacks the archive, nothing is in it. */
function ignoreMissingFeature(error: unknown): null {
  if (error instanceof AppError && (error.code === 'source_not_in_plan' || error.code === 'source_forbidden'))
    return null;
  throw error;
}
