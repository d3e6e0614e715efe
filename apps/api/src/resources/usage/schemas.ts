import { CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import { Type } from 'typebox';
import { count, defineSchema, nullable, object, ref, string, uuid } from '../../http/schemas.ts';

const credits = Type.Number({ minimum: 0, description: 'The used credits of this class.', examples: [0] });

const CreditsByClass = defineSchema(
  'CreditsByClass',
  object(
    Object.fromEntries(
      CREDIT_CLASSES.map((creditClass) => [
        creditClass,
        creditClass === 'incremental' ? { ...credits, examples: [90] } : credits,
      ]),
    ) as Record<CreditClass, typeof credits>,
    { description: 'The used credits of each class.' },
  ),
);

const Usage = defineSchema(
  'Usage',
  object(
    {
      day: Type.String({ format: 'date', description: 'The day (UTC) on which the runs were created.' }),
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      object: string('The name of the object.'),
      records_extracted: count('Extracted records.', 8741),
      records_loaded: count('Rows that were inserted or updated.', 8655),
      credits_used: Type.Number({ minimum: 0, description: 'Used credits.', examples: [90] }),
      credits_by_class: ref(CreditsByClass),
      bytes_staged: count('Uncompressed size of the stored batches, in bytes.', 12_582_912),
      lag_seconds: nullable(
        Type.Number({
          minimum: 0,
          description: 'The greatest lag of the table on this day, in seconds. Null: the lag is not known.',
          examples: [840],
        }),
      ),
    },
    { description: 'The usage of an object of a pipeline on one day.' },
  ),
);

export const UsageList = defineSchema(
  'UsageList',
  object(
    {
      data: Type.Array(ref(Usage), {
        description: 'One entry for each day, pipeline and object. The newest day is first.',
      }),
    },
    { description: 'Usage in an interval.' },
  ),
);
