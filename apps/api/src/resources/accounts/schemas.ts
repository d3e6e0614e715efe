import { CREDIT_CLASSES } from '@freshet/contracts';
import { Type } from 'typebox';
import { defineSchema, enumeration, nullable, object, ref, string, timestamp } from '../../http/schemas.ts';

const CreditClass = enumeration(
  'CreditClass',
  CREDIT_CLASSES,
  'The priority of requests, the most urgent first. `by_hand`: manual runs and API requests. `incremental`: changes. `children`: children of changed parents. `backfill`: history. `audit`: audits.',
);

const CreditClassUsage = defineSchema(
  'CreditClassUsage',
  object(
    {
      class: ref(CreditClass),
      used: Type.Number({ minimum: 0, description: 'Credits used in the current minute.', examples: [12] }),
      wanted_until: nullable(
        timestamp(
          'Time until which less urgent classes leave the bucket to this class, because it ran out of credits. Null: they need not wait.',
        ),
      ),
    },
    { description: 'Credits that a class has used.' },
  ),
);

const CreditBucket = defineSchema(
  'CreditBucket',
  object(
    {
      bucket: string('`account` for the rate limit of the account, or the name of a list that has its own limit.'),
      unlimited: Type.Boolean({ description: 'Whether the account has no rate limit.', examples: [false] }),
      total: nullable(
        Type.Number({
          description: 'Credits per minute, as reported by Freshdesk. Null: not known yet.',
          examples: [400],
        }),
      ),
      used: Type.Number({
        minimum: 0,
        description:
          'Credits used in the current minute, by Freshet and, as far as Freshdesk reports them, by other clients.',
        examples: [12],
      }),
      window_ends_at: nullable(
        timestamp('End of the current minute. Null: no minute has started.', '2026-01-31T13:32:00.000Z'),
      ),
      blocked_until: nullable(
        timestamp('Time until which Freshet sends no requests, after a response with 429. Null: not blocked.'),
      ),
      classes: Type.Array(ref(CreditClassUsage), {
        description: 'Credits that Freshet has used, by class, the most urgent first.',
      }),
    },
    { description: 'A rate limit of the account.' },
  ),
);

export const Budget = defineSchema(
  'Budget',
  object(
    {
      subdomain: string('The account.'),
      buckets: Type.Array(ref(CreditBucket), {
        description: 'The buckets of the account. Empty before the first request.',
      }),
    },
    { description: 'The credits of a Freshdesk account, which all its pipelines share.' },
  ),
);
