import { bigint, boolean, jsonb, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseWrappedList } from '../wrapped-list.ts';

export const customObjectSchemas = defineObject({
  name: 'custom_object_schemas',
  title: 'Custom objects',
  description: 'Definitions of the account’s custom objects.',
  docs: 'https://developers.freshdesk.com/api/#custom-objects',
  path: '/api/v2/custom_objects/schemas',
  parseRecords: (response) => parseWrappedList(response, 'schemas'),
  strategy: { kind: 'full-list' },
  feature: 'Custom Objects',
  includedByDefault: false,
  typicalCount: 1,
  list: {
    responses: {
      '/api/v2/custom_objects/schemas': {
        schemas: [
          {
            id: 14051437,
            name: 'Bookings',
            prefix: 'BKG',
            version: 3,
            deleted: false,
            created_time: 1738709222216,
            updated_time: 1740696867927,
            fields: [],
          },
        ],
      },
    },
  },
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.'),
    prefix: text('Prefix of the display ids of the custom object’s records.', { optional: true }),
    title: text('Title.', { nullable: true, optional: true }),
    description: text('Description.', { nullable: true, optional: true }),
    version: bigint('Version of the definition.', { optional: true }),
    deleted: boolean('The custom object is deleted.', { optional: true }),
    fields: jsonb('Definitions of the custom object’s fields.'),
    created_time: bigint('Creation time, in milliseconds since 1970.'),
    updated_time: bigint('Time of the last update, in milliseconds since 1970.'),
  },
});
