import { Type } from 'typebox';
import { count, defineSchema, enumeration, object, ref, string, timestamp } from '../../http/schemas.ts';

export const EstimateInput = defineSchema(
  'EstimateInput',
  object(
    {
      backfill_from: Type.Optional(
        timestamp(
          'Estimate a backfill of the history since this time, instead of the next run.',
          '2025-01-01T00:00:00.000Z',
        ),
      ),
    },
    { description: 'The work to estimate.' },
  ),
);

const EstimateBasis = enumeration(
  'EstimateBasis',
  ['counted', 'known', 'typical'],
  'The basis of an estimate. `counted`: a count that Freshdesk returned. `known`: previous runs. `typical`: accounts of a similar size.',
);

const ObjectEstimate = defineSchema(
  'ObjectEstimate',
  object(
    {
      object: string('The name of the object.'),
      records: count('Records to extract.', 8600),
      credits: count('Credits to use.', 90),
      minutes: Type.Number({
        minimum: 0,
        description: 'Duration in minutes within the pipeline’s share of the rate limits, if only this object is read.',
        examples: [0.3],
      }),
      basis: ref(EstimateBasis),
    },
    { description: 'The estimate of an object.' },
  ),
);

export const Estimate = defineSchema(
  'Estimate',
  object(
    {
      spent: Type.Number({ minimum: 0, description: 'Credits that the estimate itself has used.', examples: [4] }),
      records: count('Records to extract.', 8741),
      credits: count('Credits to use.', 112),
      minutes: Type.Number({
        minimum: 0,
        description: 'Duration in minutes within the pipeline’s share of the rate limits, without other pipelines.',
        examples: [0.4],
      }),
      objects: Type.Array(ref(ObjectEstimate), { description: 'The estimate of each included object.' }),
    },
    { description: 'The estimated records, credits and duration of a run.' },
  ),
);
