import { Type } from 'typebox';
import { defineSchema, object } from '../../http/schemas.ts';

export const Health = defineSchema(
  'Health',
  object(
    {
      status: Type.Unsafe<'ok' | 'unavailable'>({
        type: 'string',
        enum: ['ok', 'unavailable'],
        description: 'The result of the probe.',
      }),
    },
    { description: 'The health of the process.' },
  ),
);
