import { ERASURE_STATUSES } from '@freshet/contracts';
import { Type } from 'typebox';
import {
  count,
  defineSchema,
  enumeration,
  Failure,
  nullable,
  object,
  pageSchema,
  ref,
  string,
  timestamp,
  uuid,
} from '../../http/schemas.ts';

const removedCounts = {
  rows: count('Rows in the table.', 3),
  versions: count('Rows in the history of the table. 0 if the table has no history.', 7),
  staged_records: count('Records in stored batches.', 4),
  rejected_records: count('Rejected records.', 0),
};
const remainingCounts = {
  rows: count('Rows in tables.', 0),
  versions: count('Rows in histories.', 0),
  staged_records: count('Records in stored batches.', 0),
  rejected_records: count('Rejected records.', 0),
  model_rows: count('Rows in analytics models.', 0),
};

const ErasureCounts = defineSchema(
  'ErasureCounts',
  object(
    { object: string('The name of the object.'), ...removedCounts },
    { description: 'The removed data of one object. Only the attempt that completed the erasure is counted.' },
  ),
);

const ErasureProof = defineSchema(
  'ErasureProof',
  object(
    { verified_at: timestamp('Time of the verification.', '2026-01-29T14:03:21.870Z'), ...remainingCounts },
    {
      description:
        'The result of the search for remaining data after the removal. All counts are 0, because the erasure is not completed while data remains.',
    },
  ),
);

const ErasureStatus = enumeration(
  'ErasureStatus',
  ERASURE_STATUSES,
  'The status of an erasure. `completed`: no data of the person remains (see `proof`). `failed`: an error occurred (see `error`). To retry, create the erasure again. `lifted`: data of the person is replicated again.',
  'completed',
);

const CONTACT_ID = 'The id of the contact in Freshdesk.';

export const Erasure = defineSchema(
  'Erasure',
  object(
    {
      id: uuid('erasure', 'The id of the erasure.'),
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      contact_id: string(CONTACT_ID, { examples: ['4711'] }),
      status: ref(ErasureStatus),
      removed: Type.Array(ref(ErasureCounts), { description: 'The removed data of each object.' }),
      unsearchable: Type.Array(string('A field, in the format `object.field`.'), {
        description:
          'Fields that could not be searched, because the pipeline drops them. Data that is linked to the person only by these fields is not removed.',
        examples: [[]],
      }),
      proof: nullable(ref(ErasureProof)),
      error: nullable(ref(Failure)),
      created_at: timestamp(
        'Time of creation. Data of the person is not replicated after this time.',
        '2026-01-29T14:03:16.496Z',
      ),
      finished_at: nullable(timestamp('Time at which the erasure finished.', '2026-01-29T14:03:21.870Z')),
    },
    { description: 'The erasure of a person from the data of a pipeline.' },
  ),
);

export const ErasureList = pageSchema('ErasureList', Erasure);

export const ErasureInput = defineSchema(
  'ErasureInput',
  object(
    { contact_id: string(CONTACT_ID, { pattern: '^[0-9]{1,19}$', examples: ['4711'] }) },
    { description: 'The person to erase.' },
  ),
);
