import { CREDIT_CLASSES } from '@freshet/contracts';
import { Type } from 'typebox';
import { defineSchema, enumeration, nullable, object, ref, string, timestamp } from '../../http/schemas.ts';

const CreditClass = enumeration(
  'CreditClass',
  CREDIT_CLASSES,
  'The priority of requests, from the most urgent class to the least urgent class. `by_hand`: requests for which a user is waiting, such as the requests of connection tests, estimates and refreshes. In a sync with the trigger `manual`, `by_hand` replaces `incremental`. `incremental`: requests for changed records. `children`: requests for the children of changed parents. `backfill`: requests for history. `audit`: requests of audits.',
);

const CreditClassUsage = defineSchema(
  'CreditClassUsage',
  object(
    {
      class: ref(CreditClass),
      used: Type.Number({
        minimum: 0,
        description: 'The credits that the class has used in the current minute.',
        examples: [12],
      }),
      wanted_until: nullable(
        timestamp(
          'Time until which the bucket is reserved for this class, because the class ran out of credits. Less urgent classes wait until this time. Null: the bucket is not reserved.',
        ),
      ),
    },
    { description: 'The credits that a class has used.' },
  ),
);

const CreditBucket = defineSchema(
  'CreditBucket',
  object(
    {
      bucket: string('`account` for the rate limit of the account, or the name of a list that has its own limit.'),
      unlimited: Type.Boolean({ description: 'Whether this bucket has no rate limit.', examples: [false] }),
      total: nullable(
        Type.Number({
          description: 'The credits per minute that Freshdesk reports. Null: not known yet.',
          examples: [400],
        }),
      ),
      used: Type.Number({
        minimum: 0,
        description:
          'The credits that were used in the current minute. The value includes the credits that other clients used, if Freshdesk reports these credits.',
        examples: [12],
      }),
      window_ends_at: nullable(
        timestamp('End of the current minute. Null: no minute has started.', '2026-01-31T13:32:00.000Z'),
      ),
      blocked_until: nullable(
        timestamp(
          'Time until which Freshet sends no requests, because Freshdesk returned status 429. Null: requests are not blocked.',
        ),
      ),
      classes: Type.Array(ref(CreditClassUsage), {
        description: 'The credits that each class of Freshet requests has used. The most urgent class is first.',
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
        description: 'The buckets of the account. Empty: Freshet has not sent a request to the account yet.',
      }),
    },
    { description: 'The credits of a Freshdesk account. All pipelines of the account share these credits.' },
  ),
);
