import { AppError, type Column, type ColumnType, customColumnName } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define.ts';
import type { ListedRecord, Lists } from './client.ts';
import { follow, type Trail } from './ways/trail.ts';

/**
 * Freshdesk's types of account-defined fields, as column types. A field of a type that is not here is known
 * by its name only, and the loader decides from the values it meets.
 */
const TYPES: Readonly<Record<string, ColumnType>> = {
  custom_text: 'text',
  custom_paragraph: 'text',
  custom_dropdown: 'text',
  custom_phone_number: 'text',
  custom_url: 'text',
  custom_lookup: 'text',
  custom_checkbox: 'boolean',
  custom_number: 'bigint',
  custom_decimal: 'numeric',
  custom_date: 'date',
  nested_field: 'text',
};

/**
 * The account's own fields of an object, as columns: `cf_<name>`, typed by their definitions. One credit.
 * @returns an empty list when the key may not see the definitions; types then follow from the values.
 */
export async function customColumnsOf(client: Lists, object: ObjectSpec): Promise<Column[]> {
  if (object.customFields === null) return [];
  const { path, field } = object.customFields;
  try {
    return (await allOf(client, path)).flatMap(({ raw }) => {
      const type = TYPES[String(raw.get('type'))];
      if (type === undefined) return [];
      const label = String(raw.get('label') ?? raw.get('name'));
      const own = customColumn(field, String(raw.get('name')), type, label);
      const nested = raw.get('nested_ticket_fields');
      const below = (Array.isArray(nested) ? nested : []).map((level) => {
        const { name, label: l } = level as { name?: unknown; label?: unknown };
        return customColumn(field, String(name), 'text', String(l ?? name));
      });
      return [own, ...below];
    });
  } catch (error) {
    const hidden = error instanceof AppError && ['source_forbidden', 'source_not_found', 'source_not_in_plan'].includes(error.code);
    if (!hidden) throw error;
    return [];
  }
}

function customColumn(field: string, name: string, type: ColumnType, label: string): Column {
  return { name: customColumnName(name), type, description: `Custom field “${label}”.`, path: [field, name] };
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
