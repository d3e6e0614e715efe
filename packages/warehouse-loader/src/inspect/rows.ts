import type { SqlTransaction } from '../read-only.ts';
import { quote } from '../sql/identifiers.ts';
import type { Relation } from './relations.ts';
import { type JsonValue, toJsonValue } from './values.ts';

export interface PreviewLimits {
  /** The maximum number of rows. */
  readonly rowsMax: number;
  /** Longer values are cut to this number of bytes of UTF-8. */
  readonly valueBytesMax: number;
  /** The preview ends after the row with which its values exceed this number of bytes. */
  readonly bytesMax: number;
}

/** A value that is longer than the limit. */
interface CutValue {
  /** The index of the row. */
  readonly row: number;
  readonly column: string;
  /** The length of the complete value in bytes of UTF-8. */
  readonly bytes: number;
}

export interface RowPreview {
  /** Column → value. */
  readonly rows: readonly Readonly<Record<string, JsonValue>>[];
  readonly cutValues: readonly CutValue[];
  /** Whether the table has more rows. */
  readonly hasMore: boolean;
}

interface TextRow {
  /** The values as text, in the order of the columns. */
  readonly texts: readonly (string | null)[];
  readonly lengths: readonly (number | null)[];
}

/** The number of rows that are in memory beside the preview. */
const FETCH_ROWS = 20;

/**
 * Reads the first rows of a table or a view. The rows are in descending order of the key, so that
 * the newest records come first. The order of a relation without a key is undefined.
 * @param transaction a transaction of `runReadOnly`.
 * @param relation a relation of `listRelations`, so that its names come from the catalog.
 */
export async function previewRows(
  transaction: SqlTransaction,
  relation: Relation,
  { rowsMax, valueBytesMax, bytesMax }: PreviewLimits,
): Promise<RowPreview> {
  const preview = { rows: [] as Readonly<Record<string, JsonValue>>[], cutValues: [] as CutValue[] };
  let bytes = 0;
  const batches = transaction
    .unsafe<TextRow[]>(buildPreviewSql(relation, rowsMax + 1, valueBytesMax))
    .cursor(FETCH_ROWS);
  for await (const batch of batches) {
    for (const { texts, lengths } of batch) {
      if (preview.rows.length === rowsMax || bytes > bytesMax) return { ...preview, hasMore: true };
      const row: Record<string, JsonValue> = {};
      for (const [i, { name, type }] of relation.columns.entries()) {
        const length = lengths[i] ?? 0;
        const isCut = length > valueBytesMax;
        if (isCut) preview.cutValues.push({ row: preview.rows.length, column: name, bytes: length });
        const text = texts[i] ?? null;
        row[name] = isCut ? cutText(text ?? '', valueBytesMax) : toJsonValue(type, text);
        bytes += Math.min(length, valueBytesMax);
      }
      preview.rows.push(row);
    }
  }
  return { ...preview, hasMore: false };
}

/**
 * Builds the query. The server cuts the values, so that it does not send large values. Arrays keep
 * the query independent of the number and the names of the columns. The driver cannot distinguish
 * nulls in SQL arrays from the text NULL, so the arrays are JSON.
 */
function buildPreviewSql({ schema, name, key, columns }: Relation, limit: number, valueBytesMax: number): string {
  const order = key.length === 0 ? '' : `order by ${key.map((column) => `${quote(column)} desc`).join(', ')}`;
  const texts = columns.map((column) => `t.${quote(column.name)}::text`);
  return `
    select to_json(array[${texts.map((text) => `left(${text}, ${valueBytesMax})`).join(', ')}]::text[]) as texts,
      to_json(array[${texts.map((text) => `octet_length(${text})`).join(', ')}]::int[]) as lengths
    from (select * from ${quote(schema)}.${quote(name)} ${order} limit ${limit}) t`;
}

/** Cuts a text to a number of bytes, at the end of a character. */
function cutText(text: string, bytesMax: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytesMax), { stream: true });
}
