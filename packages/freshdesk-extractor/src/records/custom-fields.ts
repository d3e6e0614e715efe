import { AppError, type Column, type ColumnType, getColumnNameByPath, isJsonObject } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import type { RecordSource } from '../http/client.ts';
import type { ListedRecord } from '../http/response-parser.ts';
import { type LoopState, trackPage } from '../lists/loop-detection.ts';

/**
 * The column type for each type of custom field. For a field of any other type, no column is
 * declared, and the loader derives the column's type from the values.
 */
const COLUMN_TYPES: ReadonlyMap<string, ColumnType> = new Map([
  ['custom_text', 'text'],
  ['custom_paragraph', 'text'],
  ['custom_dropdown', 'text'],
  ['custom_phone_number', 'text'],
  ['custom_url', 'text'],
  ['custom_lookup', 'text'],
  ['custom_checkbox', 'boolean'],
  ['custom_number', 'bigint'],
  ['custom_decimal', 'numeric'],
  ['custom_date', 'date'],
  ['nested_field', 'text'],
]);

/**
 * Requests the definitions of an object's custom fields and returns their columns. Costs one credit
 * per page of definitions. Most accounts have one page.
 * @returns an empty array if the object has no custom fields, or the API key cannot read their
 * definitions. The loader then derives the types from the values.
 */
export async function listCustomColumns(source: RecordSource, object: ObjectSpec): Promise<Column[]> {
  if (object.customFields === null) return [];
  const { path, field } = object.customFields;
  try {
    const columns = (await listDefinitions(source, path)).flatMap(({ raw }) => {
      const type = COLUMN_TYPES.get(String(raw.get('type')));
      if (type === undefined) return [];
      const nested = raw.get('nested_ticket_fields');
      return [
        buildColumn(field, raw.get('name'), type, raw.get('label')),
        ...(Array.isArray(nested) ? nested : [])
          .filter(isJsonObject)
          .map(({ name, label }) => buildColumn(field, name, 'text', label)),
      ];
    });
    // If a field has several definitions, the first definition applies.
    const names = new Set<string>();
    return columns
      .filter((column) => column !== null)
      .filter(({ path: [, name = ''] }) => !names.has(name) && names.add(name));
  } catch (error) {
    const isUnavailable =
      error instanceof AppError && ['source_forbidden', 'source_not_found', 'source_not_in_plan'].includes(error.code);
    if (!isUnavailable) throw error;
    return [];
  }
}

/** @returns null for a definition without a name, because no record can contain such a field. */
function buildColumn(
  field: string,
  name: unknown,
  type: ColumnType,
  label: unknown,
): (Column & { readonly path: readonly string[] }) | null {
  if (typeof name !== 'string' || name === '') return null;
  const path = [field, toStorableText(name)];
  return {
    name: getColumnNameByPath(path),
    type,
    description: `Custom field “${toStorableText(typeof label === 'string' ? label : name)}”.`,
    path,
  };
}

/**
 * Replaces the characters that PostgreSQL cannot store (NUL and lone surrogates), as the loader
 * does for records.
 */
function toStorableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

async function listDefinitions(source: RecordSource, path: string): Promise<ListedRecord[]> {
  const records: ListedRecord[] = [];
  let loopState: LoopState | null = null;
  for (let page = 1; ; page++) {
    const query = page === 1 ? {} : { page: String(page) };
    const response = await source.list(path, query, { credits: 1, bucket: null });
    records.push(...response.records);
    if (!response.hasNext) return records;
    loopState = trackPage(loopState, response.records, { name: path, primaryKey: ['id'] }, { page });
  }
}
