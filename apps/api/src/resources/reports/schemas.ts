import { Type } from 'typebox';
import { defineSchema, nullable, object, ref, string, timestamp } from '../../http/schemas.ts';

export const FORMATS = ['json', 'csv'] as const;

const ReportColumn = defineSchema(
  'ReportColumn',
  object(
    {
      name: string('The name of the column.', { examples: ['created'] }),
      type: string('The SQL type of the column.', { examples: ['bigint'] }),
      description: string('The definition of the value.', { examples: ['Tickets that were created on the day.'] }),
    },
    { description: 'A column of a report.' },
  ),
);

const ReportParameter = defineSchema(
  'ReportParameter',
  object(
    {
      name: string('The name of the query parameter.', { examples: ['from'] }),
      type: string('`date` or `text`.', { examples: ['date'] }),
      required: Type.Boolean({ description: 'Whether the parameter has no default.', examples: [false] }),
      description: string('The meaning of the parameter.', { examples: ['The first day.'] }),
    },
    { description: 'A parameter of a report.' },
  ),
);

const reportFields = {
  name: string('The name of the report.', { examples: ['tickets_created_resolved'] }),
  title: string('The title of the report.', { examples: ['Created and resolved tickets'] }),
  description: string('The definition of the report.', {
    examples: ['Tickets that were created and tickets that were resolved.'],
  }),
  sql: string(
    'The query of the report. Its parameters are the first day (`$1`), the day after the last day (`$2`), the IANA name of the time zone (`$3`) and the maximum number of rows (`$4`). You can run the query in the warehouse.',
    {
      examples: [
        'select day, sum(created) as created from "freshdesk_acme_analytics"."daily_summary" where day >= $1 and day < $2 group by day order by day limit $4',
      ],
    },
  ),
};

const Report = defineSchema(
  'Report',
  object(
    {
      ...reportFields,
      parameters: Type.Array(ref(ReportParameter), { description: 'The parameters of the report.' }),
      group_by: Type.Array(string('A value of the parameter `group_by`.', { examples: ['week'] }), {
        description: 'The valid values of the parameter `group_by`. Empty: the report has no such parameter.',
      }),
      columns: Type.Array(ref(ReportColumn), { description: 'The columns of the result.' }),
    },
    { description: 'A report: a query with parameters over the analytics models.' },
  ),
);

export const ReportList = defineSchema(
  'ReportList',
  object(
    { data: Type.Array(ref(Report), { description: 'The reports.' }) },
    { description: 'All reports of a pipeline.' },
  ),
);

const ReportArguments = defineSchema(
  'ReportArguments',
  object(
    {
      from: Type.String({ format: 'date', description: 'The first day.', examples: ['2026-01-01'] }),
      to: Type.String({ format: 'date', description: 'The day after the last day.', examples: ['2026-02-01'] }),
      group_by: nullable(string('The grouping of the rows. Null: the report has no groups.', { examples: ['week'] })),
      time_zone: nullable(
        string('The time zone of the days. Null: the time zone of the models.', { examples: ['Europe/Berlin'] }),
      ),
    },
    { description: 'The values of the parameters of a report.' },
  ),
);

export const ReportResult = defineSchema(
  'ReportResult',
  object(
    {
      ...reportFields,
      arguments: ref(ReportArguments),
      columns: Type.Array(ref(ReportColumn), { description: 'The columns of the rows.' }),
      rows: Type.Array(
        Type.Unsafe<Readonly<Record<string, unknown>>>({
          type: 'object',
          additionalProperties: true,
          description:
            'A row, keyed by column name. Numbers that exceed the precision of JSON numbers are strings. Dates have the form `2026-01-31`.',
          examples: [{ group: '2026-01-26', group_id: null, created: 42, resolved: 40, reopened: 2 }],
        }),
        { description: 'The rows of the report, in the order of the query. At most 10,000.' },
      ),
      truncated: Type.Boolean({
        description: 'Whether the report has more than 10,000 rows. The further rows are missing.',
        examples: [false],
      }),
      time_zone: string('The time zone of the days, as a name in the IANA time zone database.', {
        examples: ['Europe/Berlin'],
      }),
      refreshed_at: timestamp('The models contain everything that was loaded before this time.'),
    },
    { description: 'The result of a report.' },
  ),
);
