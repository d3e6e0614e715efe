import { Type } from 'typebox';
import { defineSchema, nullable, object, ref, string } from '../../http/schemas.ts';
import { SQL_BYTES_MAX } from './guard.ts';

export const QUERY_DEFAULTS = { max_rows: 1000, max_bytes: 1024 * 1024, timeout_seconds: 30 } as const;

export const QueryInput = defineSchema(
  'QueryInput',
  object(
    {
      sql: string(
        'One `SELECT` statement. Unqualified names refer to the tables of the pipeline and to its analytics models.',
        {
          minLength: 1,
          maxLength: SQL_BYTES_MAX,
          examples: ['select status, count(*) from tickets where _freshet_deleted_at is null group by status'],
        },
      ),
      max_rows: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000,
          default: QUERY_DEFAULTS.max_rows,
          description: 'The maximum number of rows in the result.',
          examples: [100],
        }),
      ),
      max_bytes: Type.Optional(
        Type.Integer({
          minimum: 1024,
          maximum: 8 * 1024 * 1024,
          default: QUERY_DEFAULTS.max_bytes,
          description: 'The maximum size of the rows as JSON, in bytes.',
          examples: [102_400],
        }),
      ),
      timeout_seconds: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 30,
          default: QUERY_DEFAULTS.timeout_seconds,
          description: 'The warehouse cancels the query after this number of seconds.',
          examples: [10],
        }),
      ),
    },
    { description: 'A read-only query.' },
  ),
);

const QueryColumn = defineSchema(
  'QueryColumn',
  object(
    {
      name: string('The name of the column. Names need not be unique.', { examples: ['status'] }),
      type: string('The SQL type of the column.', { examples: ['bigint'] }),
    },
    { description: 'A column of a result.' },
  ),
);

export const QueryResult = defineSchema(
  'QueryResult',
  object(
    {
      columns: Type.Array(ref(QueryColumn), { description: 'The columns of the rows.' }),
      rows: Type.Array(
        Type.Unsafe<readonly unknown[]>({
          type: 'array',
          items: {},
          description:
            'The values of a row, in the order of the columns. Numbers that exceed the precision of JSON numbers are strings. Values of the types `json` and `jsonb`, arrays and composite values are JSON. All other values are strings in the text format of PostgreSQL, with times in UTC.',
          examples: [[2, 311]],
        }),
        { description: 'The rows, in the order of the query.' },
      ),
      truncated_by: nullable(
        Type.Unsafe<'rows' | 'bytes'>({
          type: 'string',
          enum: ['rows', 'bytes'],
          description: 'The limit that truncated the result. Null: the result is complete.',
          examples: ['rows'],
        }),
      ),
    },
    { description: 'The result of a query.' },
  ),
);
