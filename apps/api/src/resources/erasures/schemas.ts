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
  rows: count('Rows of the table.', 3),
  versions: count('Rows of the history of the table, if there is one.', 7),
  staged_records: count('Records in stored batches.', 4),
  rejected_records: count('Rejected records.', 0),
};
const remainingCounts = {
  rows: count('Rows of tables.', 0),
  versions: count('Rows of histories.', 0),
  staged_records: count('Records in stored batches.', 0),
  rejected_records: count('Rejected records.', 0),
};

const ErasureCounts = defineSchema(
  'ErasureCounts',
  object(
    { object: string('The name of the object.'), ...removedCounts },
    { description: 'The data of one object that was removed, in the attempt that completed the erasure.' },
  ),
);

const ErasureProof = defineSchema(
  'ErasureProof',
  object(
    { verified_at: timestamp('Time of the verification.', '2026-01-29T14:03:21.870Z'), ...remainingCounts },
    {
      description:
        'The result of the search for remaining data after the removal. All counts are 0: otherwise, the erasure is not completed.',
    },
  ),
);

const ErasureStatus = enumeration(
  'ErasureStatus',
  ERASURE_STATUSES,
  'The status of an erasure. `completed`: no data of the person remains (see `proof`). `failed`: see `error`, and create the erasure again. `lifted`: data of the person is replicated again.',
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
      removed: Type.Array(ref(ErasureCounts), { description: 'The removed data, by object.' }),
      unsearchable: Type.Array(string('An object and a field: `object.field`.'), {
        description:
          'Fields that could not be searched, because the pipeline drops them. Data that only these fields connect to the person remains.',
        examples: [[]],
      }),
      proof: nullable(ref(ErasureProof)),
      error: nullable(ref(Failure)),
      created_at: timestamp(
        'Time of creation. From then on, data of the person is not replicated.',
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
