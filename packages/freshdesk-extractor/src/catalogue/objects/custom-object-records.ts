import { isJsonObject } from '@freshet/contracts';
import { bigint, defineObject, jsonb, text } from '../define.ts';

const record = (n: number) => ({
  display_id: `BKG-${n}`,
  created_time: 1740695000008 + n,
  updated_time: 1740696867927 + n,
  data: { booking_no: `B-000${n}`, ticket: n === 1 ? null : 40 + n },
  metadata: { primary_field_name: 'booking_no' },
});
const RECORDS = '/api/v2/custom_objects/schemas/14051437/records';

export const customObjectRecords = defineObject({
  name: 'custom_object_records',
  title: 'Custom objects: records',
  description: 'Records of the kinds that the account has defined itself.',
  docs: 'https://developers.freshdesk.com/api/#custom-objects',
  path: '/api/v2/custom_objects/schemas/{id}/records',
  rows: (answer) =>
    isJsonObject(answer) && Array.isArray(answer['records']) ? answer['records'].filter(isJsonObject) : [],
  nextQuery: (answer) => {
    const links = isJsonObject(answer) && isJsonObject(answer['_links']) ? answer['_links'] : {};
    const href = isJsonObject(links['next']) ? links['next']['href'] : null;
    const query =
      typeof href === 'string' ? Object.fromEntries(new URLSearchParams(href.slice(href.indexOf('?') + 1))) : {};
    // At the end the link is missing, or its token is empty.
    return query['next_token'] ? { page_size: query['page_size'] ?? '100', next_token: query['next_token'] } : null;
  },
  way: { kind: 'children', parent: 'custom_object_schemas', column: 'schema_id', versionFields: [], elsewhere: null },
  feature: 'Custom Objects',
  includedByDefault: false,
  typicalCount: { each: 'custom_object_schemas', times: 100 },
  primaryKey: ['schema_id', 'display_id'],
  list: {
    answers: {
      [RECORDS]: {
        records: [record(1), record(2)],
        _links: { next: { href: '/schemas/14051437/records?page_size=100&prev_token=&next_token=two' } },
      },
      [`${RECORDS}#two`]: {
        records: [record(3)],
        _links: { next: { href: '/schemas/14051437/records?page_size=100&prev_token=one&next_token=' } },
      },
    },
  },
  columns: {
    schema_id: bigint('The kind of record; the list does not say, so it is added.', {
      references: 'custom_object_schemas',
    }),
    display_id: text('Key within its kind, as `BKG-1`.'),
    data: jsonb('Its fields by name.'),
    metadata: jsonb('Which field names it.', { optional: true }),
    created_time: bigint('When it was created, in milliseconds since 1970.'),
    updated_time: bigint('When it last changed, in milliseconds since 1970.'),
  },
});
