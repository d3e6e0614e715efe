import { CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import { Type } from 'typebox';
import { count, id, name, nullable, object, ref, text } from '../../http/schemas.ts';

const creditsSpent = Type.Number({ minimum: 0, description: 'Credits.', examples: [12] });

const CreditsByClass = name(
  'CreditsByClass',
  object(
    Object.fromEntries(CREDIT_CLASSES.map((creditClass) => [creditClass, creditsSpent])) as Record<
      CreditClass,
      typeof creditsSpent
    >,
    {
      description: 'What credits were spent for.',
    },
  ),
);

export const UsageList = name(
  'UsageList',
  object(
    {
      data: Type.Array(
        ref(
          name(
            'Usage',
            object(
              {
                day: Type.String({ format: 'date', description: 'The day, in UTC, on which the runs were started.' }),
                pipeline_id: id('The pipeline'),
                object: text('The object.'),
                records_extracted: count('Records read.'),
                records_loaded: count('Rows inserted or updated.'),
                credits_used: Type.Number({ minimum: 0, description: 'Credits spent.' }),
                credits_by_class: ref(CreditsByClass),
                bytes_staged: count('Bytes stored between reading and loading, uncompressed.'),
                lag_seconds: nullable(
                  Type.Number({
                    minimum: 0,
                    description: 'The longest that its table was behind on that day, in seconds; null: not known.',
                    examples: [840],
                  }),
                ),
              },
              { description: 'What one object of one pipeline has come to on one day.' },
            ),
          ),
        ),
        { description: 'By day, newest first; then by pipeline and object.' },
      ),
    },
    { description: 'What was used.' },
  ),
);
