import { type Static, Type } from 'typebox';
import { EXAMPLE_OBJECT } from '../../http/example-values.ts';
import { count, defineSchema, enumeration, nullable, object, ref, string } from '../../http/schemas.ts';

const TableKindSchema = enumeration(
  'TableKind',
  ['object', 'history', 'model', 'settings', 'ledger'] as const,
  'The content of the table. `object`: the records of an object. `history`: all versions of the records. `model`: an analytics model. `settings`: a setting of the analytics models that you fill. `ledger`: the coverage of the tables, or the applied batches.',
);
export type TableKind = Static<typeof TableKindSchema>;

const schemaName = string('The schema of the table.', { examples: ['freshdesk_acme'] });
const tableName = string('The name of the table.', { examples: [EXAMPLE_OBJECT] });
const columnFields = {
  name: string('The name of the column.', { examples: ['subject'] }),
  type: string('The SQL type of the column.', { examples: ['text'] }),
};

const TableColumn = defineSchema(
  'TableColumn',
  object(
    {
      ...columnFields,
      nullable: Type.Boolean({ description: 'Whether the column can contain nulls.', examples: [true] }),
      description: nullable(
        string('The SQL comment of the column. Null: the column has no comment.', {
          examples: ['Subject of the ticket.'],
        }),
      ),
    },
    { description: 'A column of a table.' },
  ),
);

const Table = defineSchema(
  'Table',
  object(
    {
      schema: schemaName,
      name: tableName,
      kind: ref(TableKindSchema),
      view: Type.Boolean({ description: 'Whether the table is a view.', examples: [false] }),
      object: nullable(string('The object to which the table belongs. Null: the table belongs to no object.')),
      internal: Type.Boolean({
        description:
          'Whether the table is an internal model, which supports other models and can change in any release.',
        examples: [false],
      }),
      description: nullable(
        string('The SQL comment of the table. Null: the table has no comment.', {
          examples: ['Tickets of all channels.'],
        }),
      ),
      row_count: nullable(
        count(
          'The number of rows, including rows that are marked as deleted. Null: the number is unknown, because the table is a view, or because PostgreSQL has no statistics for the table yet.',
          8741,
        ),
      ),
      row_count_exact: Type.Boolean({
        description:
          'Whether `row_count` is exact. True: Freshet counted the rows that it inserted and erased. False: `row_count` is an estimate from the statistics of PostgreSQL.',
        examples: [true],
      }),
      size_bytes: nullable(
        count(
          'The size of the table in bytes, including indexes and TOAST data. Null: the table is a view.',
          12_582_912,
        ),
      ),
      key: Type.Array(string('The name of a column.', { examples: ['id'] }), {
        description: 'The columns that identify a row. Empty: the table has no key.',
      }),
      columns: Type.Array(ref(TableColumn), { description: 'The columns, in the order of the table.' }),
    },
    { description: 'A table or a view of a pipeline in the warehouse.' },
  ),
);

export const TableList = defineSchema(
  'TableList',
  object(
    { data: Type.Array(ref(Table), { description: 'The tables.' }) },
    { description: 'All tables of a pipeline that exist in the warehouse.' },
  ),
);

const PreviewColumn = defineSchema('PreviewColumn', object(columnFields, { description: 'A column of a preview.' }));

const CutValue = defineSchema(
  'CutValue',
  object(
    {
      row: count('The index of the row in `rows`.', 0),
      column: string('The name of the column.', { examples: ['description'] }),
      bytes: count('The length of the complete value in bytes of UTF-8.', 48_211),
    },
    { description: 'A truncated value of a preview.' },
  ),
);

export const TablePreview = defineSchema(
  'TablePreview',
  object(
    {
      schema: schemaName,
      name: tableName,
      order_by: Type.Array(string('The name of a column.', { examples: ['id'] }), {
        description: 'The columns by which the rows are sorted, in descending order. Empty: the order is undefined.',
      }),
      columns: Type.Array(ref(PreviewColumn), { description: 'The columns of the rows.' }),
      rows: Type.Array(
        Type.Unsafe<Readonly<Record<string, unknown>>>({
          type: 'object',
          additionalProperties: true,
          description:
            'A row, keyed by column name. Numbers that exceed the precision of JSON numbers are strings. Values of the type `jsonb` are strings that contain JSON. Times are RFC 3339, UTC.',
          examples: [{ id: 4711, subject: 'Printer on fire', created_at: '2026-01-31T12:00:00Z' }],
        }),
        { description: 'The rows.' },
      ),
      cut_values: Type.Array(ref(CutValue), {
        description:
          'The values that are longer than 1,024 bytes. `rows` contains only the first part of these values.',
      }),
      has_more: Type.Boolean({ description: 'Whether the table has more rows.', examples: [true] }),
    },
    { description: 'The first rows of a table.' },
  ),
);
