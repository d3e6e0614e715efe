import { isJsonObject } from '@freshet/contracts';
import { bigint, jsonb, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseWrappedList } from '../wrapped-list.ts';

const buildRecord = (n: number) => ({
  display_id: `BKG-${n}`,
  created_time: 1740695000008 + n,
  updated_time: 1740696867927 + n,
  data: { booking_no: `B-000${n}`, ticket: n === 1 ? null : 40 + n },
  metadata: { primary_field_name: 'booking_no' },
});
const RECORDS = '/api/v2/custom_objects/schemas/14051437/records';

export const customObjectRecords = defineObject({
  name: 'custom_object_records',
  title: 'Custom object records',
  description: 'Records of the account’s custom objects.',
  docs: 'https://developers.freshdesk.com/api/#custom-objects',
  path: '/api/v2/custom_objects/schemas/{id}/records',
  parseRecords: (response) => parseWrappedList(response, 'records'),
  getNextQuery: (response) => {
    const links = isJsonObject(response) && isJsonObject(response['_links']) ? response['_links'] : {};
    const href = isJsonObject(links['next']) ? links['next']['href'] : null;
    const query =
      typeof href === 'string' ? Object.fromEntries(new URLSearchParams(href.slice(href.indexOf('?') + 1))) : {};
    // On the last page the link is absent, or its token is empty.
    return query['next_token'] ? { page_size: query['page_size'] ?? '100', next_token: query['next_token'] } : null;
  },
  strategy: {
    kind: 'children',
    parent: 'custom_object_schemas',
    parentColumn: 'schema_id',
    versionFields: [],
    fallbackPath: null,
  },
  feature: 'Custom Objects',
  includedByDefault: false,
  typicalCount: { perRecordOf: 'custom_object_schemas', factor: 100 },
  primaryKey: ['schema_id', 'display_id'],
  list: {
    responses: {
      [RECORDS]: {
        records: [buildRecord(1), buildRecord(2)],
        _links: { next: { href: '/schemas/14051437/records?page_size=100&prev_token=&next_token=two' } },
      },
      [`${RECORDS}#two`]: {
        records: [buildRecord(3)],
        _links: { next: { href: '/schemas/14051437/records?page_size=100&prev_token=one&next_token=' } },
      },
    },
  },
  columns: {
    schema_id: bigint('Custom object of the record. Freshet adds it, because the response does not contain it.', {
      references: 'custom_object_schemas',
    }),
    display_id: text('Id within its custom object, such as `BKG-1`.'),
    data: jsonb('Fields of the record, by name.'),
    metadata: jsonb('Metadata, such as the name of the primary field.', { optional: true }),
    created_time: bigint('Creation time, in milliseconds since 1970.'),
    updated_time: bigint('Time of the last update, in milliseconds since 1970.'),
  },
});
