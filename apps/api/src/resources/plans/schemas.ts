import { Type } from 'typebox';
import { count, enumeration, name, nullable, object, ref, text, time } from '../../http/schemas.ts';
import { PipelineVerdict } from '../accounts/schemas.ts';
import { DestinationVerdict } from '../destinations/schemas.ts';

export const EstimateInput = name(
  'EstimateInput',
  object(
    {
      backfill_from: Type.Optional(
        time('Estimate reading back to this moment, beyond what has been read, instead of the next run.'),
      ),
    },
    { description: 'What to estimate.' },
  ),
);

const EstimateBasis = enumeration(
  'EstimateBasis',
  ['counted', 'known', 'typical'],
  '`counted`: the account was asked. `known`: from the last runs. `typical`: what accounts of this size usually hold.',
);

const ObjectEstimate = name(
  'ObjectEstimate',
  object(
    {
      object: text('The object.'),
      records: count('Records that will be read.'),
      credits: count('Credits that this will cost.'),
      minutes: Type.Number({
        minimum: 0,
        description: 'How long it would take alone, within the pipeline’s share of the limits.',
      }),
      basis: ref(EstimateBasis),
    },
    { description: 'What one object will cost.' },
  ),
);

export const Estimate = name(
  'Estimate',
  object(
    {
      spent: Type.Number({ minimum: 0, description: 'Credits that the estimate itself has cost.' }),
      records: count('Records that will be read.'),
      credits: count('Credits that this will cost.'),
      minutes: Type.Number({
        minimum: 0,
        description: 'How long it will take within the pipeline’s share of the limits, if nothing else is read.',
      }),
      objects: Type.Array(ref(ObjectEstimate), { description: 'Each object that is read.' }),
    },
    { description: 'What a run will cost, before it is spent.' },
  ),
);

const TablePlan = name(
  'TablePlan',
  object(
    {
      object: text('The object.'),
      table: text('Its table.'),
      exists: Type.Boolean({ description: 'It is there already.' }),
      statements: Type.Array(Type.String(), {
        description: 'SQL that would be run before the first rows; none: it is as it should be.',
      }),
    },
    { description: 'What would become of a table.' },
  ),
);

export const PipelinePlan = name(
  'PipelinePlan',
  object(
    {
      account: ref(PipelineVerdict),
      destination: ref(DestinationVerdict),
      statements: Type.Array(Type.String(), {
        description: 'SQL that would make the schema and the ledger; none: they are there.',
      }),
      tables: Type.Array(ref(TablePlan), { description: 'Each table; none where the warehouse could not be asked.' }),
      estimate: nullable(ref(Estimate)),
    },
    { description: 'What would happen, before it does.' },
  ),
);
