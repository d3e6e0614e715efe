import { Type } from 'typebox';
import { EXAMPLE_OBJECT } from '../../http/example-values.ts';
import { defineSchema, nullable, object, ref, string } from '../../http/schemas.ts';
import { DestinationTestResult } from '../destinations/schemas.ts';
import { Estimate } from '../estimates/schemas.ts';
import { PipelineTestResult } from '../pipelines/connection-test-schemas.ts';

const TablePlan = defineSchema(
  'TablePlan',
  object(
    {
      object: string('The name of the object.'),
      table: string('The name of the table.'),
      exists: Type.Boolean({ description: 'Whether the table exists.', examples: [false] }),
      statements: Type.Array(Type.String(), {
        description: 'The SQL statements that will create or change the table. Empty: the table will not change.',
        examples: [[`create table "freshdesk_acme"."${EXAMPLE_OBJECT}" (…);`]],
      }),
    },
    { description: 'The preview of a table.' },
  ),
);

export const PipelinePlan = defineSchema(
  'PipelinePlan',
  object(
    {
      account: ref(PipelineTestResult),
      destination: ref(DestinationTestResult),
      statements: Type.Array(Type.String(), {
        description:
          'The SQL statements that will create the schema and Freshet’s own tables. Empty: the schema and these tables already exist, or the connection test of the destination failed.',
      }),
      tables: Type.Array(ref(TablePlan), {
        description: 'The preview of each table. Empty: the connection test of the destination failed.',
      }),
      estimate: nullable(ref(Estimate)),
    },
    { description: 'The preview of creating or updating a pipeline.' },
  ),
);
