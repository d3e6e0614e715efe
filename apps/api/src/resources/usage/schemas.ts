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

const sums = {
  records_extracted: count('Extracted records.', 8741),
  records_loaded: count('Rows that were inserted or updated.', 8655),
  credits_used: Type.Number({ minimum: 0, description: 'Used credits.', examples: [90] }),
  bytes_staged: count('Uncompressed size of the stored batches, in bytes.', 12_582_912),
};
const day = Type.String({ format: 'date', description: 'The day (UTC) on which the runs were created.' });

const Usage = defineSchema(
  'Usage',
  object(
    {
      day,
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      object: string('The name of the object.'),
      records_extracted: sums.records_extracted,
      records_loaded: sums.records_loaded,
      credits_used: sums.credits_used,
      credits_by_class: ref(CreditsByClass),
      bytes_staged: sums.bytes_staged,
      lag_seconds: nullable(
        Type.Number({
          minimum: 0,
          description: 'The maximum lag of the table on this day, in seconds. Null: the lag is not known.',
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

const UsageByDay = defineSchema(
  'UsageByDay',
  object(
    {
      day,
      ...sums,
      credits_by_class: ref(CreditsByClass),
      lag_seconds: nullable(
        Type.Number({
          minimum: 0,
          description: 'The maximum lag of all tables on this day, in seconds. Null: the lag is not known.',
          examples: [840],
        }),
      ),
    },
    { description: 'The usage of one day.' },
  ),
);

export const UsageByDayList = defineSchema(
  'UsageByDayList',
  object(
    {
      data: Type.Array(ref(UsageByDay), {
        description: 'One entry for each day with usage or a lag. The newest day is first.',
      }),
    },
    { description: 'Usage in an interval, by day.' },
  ),
);

const UsageByPipeline = defineSchema(
  'UsageByPipeline',
  object(
    {
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      name: string('The name of the pipeline.', { examples: ['acme'] }),
      subdomain: string('The subdomain of the Freshdesk account.', { examples: ['acme'] }),
      ...sums,
    },
    { description: 'The usage of a pipeline in an interval.' },
  ),
);

export const UsageByPipelineList = defineSchema(
  'UsageByPipelineList',
  object(
    {
      data: Type.Array(ref(UsageByPipeline), {
        description: 'The pipelines of this page. The pipeline that used the most credits is first.',
      }),
      next_cursor: nullable(string('Pass this value as `cursor` to get the next page. Null on the last page.')),
    },
    { description: 'A page of a list.' },
  ),
);
