import { encodeBatchLine, encodeRecordLine, type JsonObject, type LineChunks, parseJson } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import { listChildren } from '../catalogue/index.ts';
import type { ListView } from '../catalogue/strategies.ts';
import type { ListedRecord } from '../http/response-parser.ts';
import type { ObjectReader } from './object-reader.ts';
import {
  createPage,
  type FailedUnit,
  getFieldText,
  type Page,
  type Position,
  type ReadOptions,
  type WorkUnit,
} from './page.ts';

/** Records of one view, and the state of the extraction after them. */
interface RecordPageParts {
  readonly view: ListView;
  readonly records: readonly ListedRecord[];
  readonly position: Position;
  readonly extractedAt: Date;
  readonly generation?: string | null;
  readonly failedUnits?: readonly FailedUnit[];
  readonly progress?: number | null;
  readonly hasPendingRequest?: boolean;
}

/** Creates a page of records, with the child work that they require. */
export function createRecordPage(reader: ObjectReader, options: ReadOptions, parts: RecordPageParts): Page {
  const { view, records, ...rest } = parts;
  return createPage({
    ...rest,
    lines: records.map((record) => encodeListedRecord(record, view.deleteKind)),
    recordCount: records.length,
    // Requests for the children of a deleted record fail. The children are read when the record is
    // restored.
    childWork: view.deleteKind === null ? listChildWork(reader.object, records, options.readingId) : [],
  });
}

/**
 * Encodes a record as a line of a batch.
 * @param deleteKind the `_freshet_delete_kind`; null: not deleted.
 */
export function encodeListedRecord({ raw, rejected }: ListedRecord, deleteKind: string | null): LineChunks {
  if (rejected === undefined) return encodeRecordLine(raw.bytes, deleteKind);
  return encodeBatchLine({
    rejected: { reason: rejected, record: parseJson(raw.bytes.toString('utf8')) as JsonObject },
  });
}

/**
 * Finds the view that a record belongs to, based on the fields of the record. The default is the
 * first view.
 */
export function findView(object: ObjectSpec, record: ListedRecord): ListView {
  const hasRecord = (view: ListView) =>
    view.deleteKind !== null && Object.values(view.query).some((field) => record.raw.get(field) === true);
  return object.views.find(hasRecord) ?? (object.views[0] as ListView);
}

/**
 * Lists the child work of the records: one unit for each record and child object.
 * @param readingId used as the version of parents that have no version field.
 */
export function listChildWork(object: ObjectSpec, records: readonly ListedRecord[], readingId: string): WorkUnit[] {
  return listChildren(object.name).flatMap(({ name, strategy }) => {
    if (strategy.kind !== 'children') return [];
    const { versionFields } = strategy;
    return records.map(({ raw }) => ({
      object: name,
      parentId: getFieldText(raw, object.primaryKey[0] as string),
      version:
        versionFields.length === 0 ? readingId : versionFields.map((field) => getFieldText(raw, field)).join('|'),
    }));
  });
}
