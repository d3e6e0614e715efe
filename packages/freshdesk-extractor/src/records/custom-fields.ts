import { AppError, type Column, type ColumnType, columnNameOf, isJsonObject } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define.ts';
import type { ListedRecord, Lists } from '../http/client.ts';
import { follow, type Trail } from '../lists/loop-detection.ts';

/**
 * Freshdesk's types of account-defined fields, as column types. A field of a type that is not here is known
 * by its name only, and the loader decides from the values it meets.
 */
const TYPES: ReadonlyMap<string, ColumnType> = new Map([
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
 * The account's own fields of an object, as columns: `cf_<name>`, typed by their definitions. One credit.
 * @returns an empty list when the key may not see the definitions; types then follow from the values.
 */
export async function customColumnsOf(client: Lists, object: ObjectSpec): Promise<Column[]> {
  if (object.customFields === null) return [];
  const { path, field } = object.customFields;
  try {
    const columns = (await allOf(client, path)).flatMap(({ raw }) => {
      const type = TYPES.get(String(raw.get('type')));
      if (type === undefined) return [];
      const nested = raw.get('nested_ticket_fields');
      return [
        customColumn(field, raw.get('name'), type, raw.get('label')),
        ...(Array.isArray(nested) ? nested : [])
          .filter(isJsonObject)
          .map(({ name, label }) => customColumn(field, name, 'text', label)),
      ];
    });
    // A field that is defined twice has one column: the first definition counts.
    const names = new Set<string>();
    return columns
      .filter((column) => column !== null)
      .filter(({ path: [, name = ''] }) => !names.has(name) && names.add(name));
  } catch (error) {
    const hidden =
      error instanceof AppError && ['source_forbidden', 'source_not_found', 'source_not_in_plan'].includes(error.code);
    if (!hidden) throw error;
    return [];
  }
}

/** Null for a definition without a name, which no record can refer to. */
function customColumn(
  field: string,
  name: unknown,
  type: ColumnType,
  label: unknown,
): (Column & { readonly path: readonly string[] }) | null {
  if (typeof name !== 'string' || name === '') return null;
  const path = [field, storable(name)];
  return {
    name: columnNameOf(path),
    type,
    description: `Custom field “${storable(typeof label === 'string' ? label : name)}”.`,
    path,
  };
}

/** Text as PostgreSQL can hold it, by the rule that records follow: NUL and lone surrogates become U+FFFD. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** Definitions come in one answer on most accounts; where there is a next page, it is followed. */
async function allOf(client: Lists, path: string): Promise<ListedRecord[]> {
  const records: ListedRecord[] = [];
  let trail: Trail | null = null;
  for (let page = 1; ; page++) {
    const answer = await client.list(path, page === 1 ? {} : { page: String(page) }, { credits: 1, bucket: null });
    records.push(...answer.records);
    if (!answer.hasNext) return records;
    trail = follow(trail, answer.records, { name: path, primaryKey: ['id'] }, page);
  }
}
