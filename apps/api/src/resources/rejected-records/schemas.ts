import { Type } from 'typebox';
import { EXAMPLE_IDS } from '../../http/example-values.ts';
import { count, defineSchema, nullable, object, pageSchema, string, timestamp, uuid } from '../../http/schemas.ts';

const REASON = 'a code and details, such as `value_not_bigint: group_id`';

export const RejectedRecord = defineSchema(
  'RejectedRecord',
  object(
    {
      id: uuid('rejected_record', 'The id of the rejected record.'),
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      object: string('The name of the object.'),
      batch_id: uuid('batch', 'The batch that contained the record.'),
      line: count('The index of the record in the batch, starting at 0.', 17),
      reason: string(`Why the record could not be loaded: ${REASON}.`),
      created_at: timestamp('Time at which the record was rejected.', '2026-01-31T13:40:10.000Z'),
      record: nullable(
        string(
          'The record as JSON, as Freshdesk returned it. Values of fields that the pipeline drops are replaced with null, and values of fields that it hashes are replaced with their hashes. Null in lists.',
        ),
      ),
    },
    {
      description: 'A record that could not be loaded. It is stored encrypted until it is replayed or discarded.',
    },
  ),
);

export const RejectedRecordList = pageSchema('RejectedRecordList', RejectedRecord);

export const RejectedRecordFilter = defineSchema(
  'RejectedRecordFilter',
  object(
    {
      ids: Type.Optional(
        Type.Array(Type.String({ format: 'uuid' }), {
          minItems: 1,
          maxItems: 1000,
          description: 'Select the rejected records with these ids.',
          examples: [[EXAMPLE_IDS.rejected_record]],
        }),
      ),
      object: Type.Optional(string('Select rejected records of this object.')),
      reason: Type.Optional(
        string(
          'Select rejected records with this reason. To select all records with the same code, pass only the code, which is the part before the colon.',
        ),
      ),
    },
    {
      description:
        'A selection of rejected records. An empty JSON object selects all rejected records of the pipeline.',
    },
  ),
);

export const RejectedRecordReplayResult = defineSchema(
  'RejectedRecordReplayResult',
  object(
    {
      run_id: uuid('run', 'The run that loads the records.'),
      records: count('The number of records to load.', 2),
    },
    { description: 'A replay of rejected records that was started.' },
  ),
);

export const RejectedRecordDiscardResult = defineSchema(
  'RejectedRecordDiscardResult',
  object(
    { records: count('The number of discarded records.', 2) },
    { description: 'The result of discarding rejected records.' },
  ),
);
