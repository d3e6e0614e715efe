import { isJsonObject } from '@freshet/contracts';
import { bigint, boolean, defineObject, jsonb, text } from '../define.ts';

export const customObjectSchemas = defineObject({
  name: 'custom_object_schemas',
  title: 'Custom objects',
  description: 'Kinds of records that the account has defined itself.',
  docs: 'https://developers.freshdesk.com/api/#custom-objects',
  path: '/api/v2/custom_objects/schemas',
  rows: (answer) =>
    isJsonObject(answer) && Array.isArray(answer['schemas']) ? answer['schemas'].filter(isJsonObject) : [],
  way: { kind: 'sweep' },
  feature: 'Custom Objects',
  includedByDefault: false,
  typicalCount: 1,
  list: {
    answers: {
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
    id: bigint('Key.'),
    name: text('Name.'),
    prefix: text('What the keys of its records begin with.', { optional: true }),
    title: text('Title.', { nullable: true, optional: true }),
    description: text('Description.', { nullable: true, optional: true }),
    version: bigint('How often it was changed.', { optional: true }),
    deleted: boolean('No longer in use.', { optional: true }),
    fields: jsonb('Its fields, with their types.'),
    created_time: bigint('When it was created, in milliseconds since 1970.'),
    updated_time: bigint('When it last changed, in milliseconds since 1970.'),
  },
});
