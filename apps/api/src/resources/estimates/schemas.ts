import { Type } from 'typebox';
import { count, defineSchema, enumeration, object, ref, string, timestamp } from '../../http/schemas.ts';
import { objectSettings, PipelineSourceInput } from '../pipelines/schemas.ts';

export const EstimateInput = defineSchema(
  'EstimateInput',
  object(
    {
      backfill_from: Type.Optional(
        timestamp(
          'The start of a backfill. If this field is set, the backfill is estimated instead of the next run.',
          '2025-01-01T00:00:00.000Z',
        ),
      ),
    },
    { description: 'The work to estimate.' },
  ),
);

export const PipelineEstimateInput = defineSchema(
  'PipelineEstimateInput',
  object(
    {
      source: ref(PipelineSourceInput),
      objects: Type.Optional(objectSettings),
    },
    { description: 'The pipeline whose first sync is estimated. The pipeline does not have to exist.' },
  ),
);

const EstimateBasis = enumeration(
  'EstimateBasis',
  ['counted', 'known', 'typical'],
  'The basis of an estimate. `counted`: the number of records that Freshdesk reports. `known`: the results of previous runs. `typical`: typical values for accounts of a similar size.',
);

const ObjectEstimate = defineSchema(
  'ObjectEstimate',
  object(
    {
      object: string('The name of the object.'),
      records: count('The number of records to extract.', 8600),
      credits: count('The number of credits that the run will use.', 90),
      unchanged_credits: count('The number of credits that a later run will use if no record has changed.', 4),
      minutes: Type.Number({
        minimum: 0,
        description:
          'The duration in minutes, within the pipeline’s share of the rate limits, if the run extracts only this object.',
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
      records: count('The number of records to extract.', 8741),
      credits: count('The number of credits that the run will use.', 112),
      unchanged_credits: count('The number of credits that a later run will use if no record has changed.', 26),
      minutes: Type.Number({
        minimum: 0,
        description:
          'The duration in minutes, within the pipeline’s share of the rate limits, if no other pipeline of the account runs.',
        examples: [0.4],
      }),
      objects: Type.Array(ref(ObjectEstimate), { description: 'The estimate of each included object.' }),
    },
    { description: 'The estimated records, credits and duration of a run.' },
  ),
);
