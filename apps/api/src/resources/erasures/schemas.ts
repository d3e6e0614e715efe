import { ERASURE_STATUSES } from '@freshet/contracts';
import { Type } from 'typebox';
import { count, enumeration, Failure, id, list, name, nullable, object, ref, text, time } from '../../http/schemas.ts';

const erasedCounts = {
  rows: count('Rows of the table.'),
  versions: count('Rows of the table’s history, if it is kept.'),
  staged_records: count('Records of batches that are stored, loaded or not.'),
  rejected_records: count('Rejected records.'),
};

const ErasedFrom = name(
  'ErasedFrom',
  object(
    { object: text('The object.'), ...erasedCounts },
    { description: 'What was removed of one object, by the try that completed the erasure.' },
  ),
);

const ErasureProof = name(
  'ErasureProof',
  object(
    { verified_at: time('When it was looked.'), ...erasedCounts },
    {
      description:
        'What was still found of the person when everything was searched again: nothing, or the erasure would not be completed.',
    },
  ),
);

const ErasureState = enumeration(
  'ErasureStatus',
  ERASURE_STATUSES,
  '`completed`: nothing of the person is left, see `proof`. `failed`: see `error`; ask for it again. `lifted`: the person may be read again.',
);

export const Erasure = name(
  'Erasure',
  object(
    {
      id: id('The erasure'),
      pipeline_id: id('Its pipeline'),
      contact_id: text('The contact’s id, as Freshdesk has it.', { examples: ['4711'] }),
      status: ref(ErasureState),
      removed: Type.Array(ref(ErasedFrom), { description: 'What was removed, object by object.' }),
      unsearchable: Type.Array(text('`object.field`'), {
        description:
          'Fields by which nothing could be found, because the pipeline drops them: what only they tell of is still there.',
      }),
      proof: nullable(ref(ErasureProof)),
      error: nullable(ref(Failure)),
      created_at: time('When it was asked for. From then on the person is left out of what is read.'),
      finished_at: nullable(time('When it was over.')),
    },
    { description: 'A person who was taken out of a pipeline’s data, with what belongs to them.' },
  ),
);

export const ErasureList = list('ErasureList', Erasure);

export const ErasureInput = name(
  'ErasureInput',
  object(
    { contact_id: text('The contact’s id, as Freshdesk has it.', { pattern: '^[0-9]{1,19}$', examples: ['4711'] }) },
    { description: 'Who is to be erased.' },
  ),
);
