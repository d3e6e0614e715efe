import { Type } from 'typebox';
import { count, id, list, name, nullable, object, text, time } from '../../http/schemas.ts';

export const RejectedRecord = name(
  'RejectedRecord',
  object(
    {
      id: id('The rejected record'),
      pipeline_id: id('Its pipeline'),
      object: text('Its object.'),
      batch_id: id('The batch that it was stored in'),
      line: count('The line of the batch, from 0.'),
      reason: text('Why it could not be loaded: a code, and after a colon what it is about.'),
      created_at: time('When it was rejected.'),
      record: nullable(text('The record as JSON, digit for digit as Freshdesk sent it; null in lists.')),
    },
    { description: 'A record that could not be loaded. It is kept, encrypted, until it is replayed or discarded.' },
  ),
);

export const RejectedRecordList = list('RejectedRecordList', RejectedRecord);

export const RejectedFilter = name(
  'RejectedFilter',
  object(
    {
      ids: Type.Optional(
        Type.Array(Type.String({ format: 'uuid' }), { minItems: 1, maxItems: 1000, description: 'Only these.' }),
      ),
      object: Type.Optional(text('Only of this object.')),
      reason: Type.Optional(text('Only with this reason, or with what stands before its colon.')),
    },
    { description: 'Which rejected records are meant; an empty object means all of the pipeline’s.' },
  ),
);

export const Replayed = name(
  'Replayed',
  object(
    { run_id: id('The run that loads them'), records: count('How many they are.') },
    { description: 'A replay that was started.' },
  ),
);

export const Discarded = name(
  'Discarded',
  object({ records: count('How many they were.') }, { description: 'What was forgotten.' }),
);
