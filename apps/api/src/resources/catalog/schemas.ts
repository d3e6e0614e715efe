import { COLUMN_TYPES } from '@freshet/contracts';
import { getObject } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import { EXAMPLE_OBJECT } from '../../http/example-values.ts';
import { setSchemaExample } from '../../http/examples.ts';
import { defineSchema, enumeration, nullable, object, ref, string } from '../../http/schemas.ts';
import { toCatalogObjectJson } from './json.ts';

const ColumnType = enumeration('ColumnType', COLUMN_TYPES, 'The PostgreSQL type of a column.');

const CatalogColumn = defineSchema(
  'CatalogColumn',
  object(
    {
      name: string('The name of the column.'),
      type: ref(ColumnType),
      description: string('The content of the column.'),
      nullable: Type.Boolean({ description: 'Whether the value can be null.' }),
      optional: Type.Boolean({ description: 'Whether Freshdesk can omit the field from responses.' }),
      values: nullable(
        Type.Record(Type.String(), Type.String(), {
          description: 'The meaning of each value. Null: the values are not an enumeration.',
        }),
      ),
      references: nullable(
        string('The object whose primary key the column references. Null: the column is not a foreign key.'),
      ),
    },
    { description: 'A documented column of an object.' },
  ),
);

const CatalogObject = defineSchema(
  'CatalogObject',
  object(
    {
      name: string('The name of the object and of its table.'),
      title: string('The display name.'),
      description: string('The content of the object.'),
      docs: string('The page of the Freshdesk API documentation that describes the object.', { format: 'uri' }),
      way: string(
        'The extraction strategy. `keyset`: the list is paginated by time of change and key. `since`: the list is filtered by time of change. `sweep`: the complete list is read. `children`: the children of each parent record are requested. `daily_export`: one file is downloaded for each day.',
      ),
      parent: nullable(string('The parent object. Null: the object has no parent.')),
      permission: string('The role that the owner of the API key needs: `agent` or `admin`.'),
      feature: nullable(
        string('The feature of the Freshdesk plan that the object needs. Null: every plan includes the object.'),
      ),
      included_by_default: Type.Boolean({ description: 'Whether a new pipeline includes the object.' }),
      included_if_available: Type.Boolean({
        description:
          'Whether `npm start` includes the object in a new pipeline if the test of the account finds the object available.',
      }),
      detail_columns: Type.Array(Type.String(), {
        description:
          'Columns that contain values only if the setting `detail` is true. Empty: the object has no details.',
      }),
      primary_key: Type.Array(Type.String(), { description: 'The columns of the primary key.' }),
      columns: Type.Array(ref(CatalogColumn), {
        description: 'The documented columns. Custom fields of the account become additional columns.',
      }),
    },
    { description: 'An object of the catalog.' },
  ),
);

const example = toCatalogObjectJson(getObject(EXAMPLE_OBJECT));
// The first columns are enough for an example.
setSchemaExample('CatalogObject', { ...example, columns: example.columns.slice(0, 3) });

export const CatalogObjectList = defineSchema(
  'CatalogObjectList',
  object(
    { data: Type.Array(ref(CatalogObject), { description: 'All objects of the catalog, sorted by name.' }) },
    { description: 'The catalog of objects.' },
  ),
);

const Metric = defineSchema(
  'Metric',
  object(
    {
      topic: string('The topic of the metric.', { examples: ['Responses'] }),
      name: string('The name of the metric.', { examples: ['First response time'] }),
      model: string('The analytics model that contains the metric.', { examples: ['ticket_metrics'] }),
      column: string('The column of the model.', { examples: ['first_response_minutes'] }),
      type: string('The SQL type of the column.', { examples: ['numeric'] }),
      definition: string('The definition of the metric.', {
        examples: ['Minutes from the creation to the first agent response.'],
      }),
    },
    { description: 'A metric of the analytics models.' },
  ),
);

export const MetricList = defineSchema(
  'MetricList',
  object(
    { data: Type.Array(ref(Metric), { description: 'The metrics, by topic.' }) },
    { description: 'The metrics of the analytics models.' },
  ),
);
