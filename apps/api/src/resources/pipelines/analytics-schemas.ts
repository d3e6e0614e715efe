import { ANALYTICS_REFRESH_KINDS, ANALYTICS_STATUSES } from '@freshet/contracts';
import { Type } from 'typebox';
import {
  count,
  defineSchema,
  enumeration,
  Failure,
  ignoredInUpdates,
  nullable,
  object,
  ref,
  string,
  timestamp,
} from '../../http/schemas.ts';

const AnalyticsStatus = enumeration(
  'AnalyticsStatus',
  ANALYTICS_STATUSES,
  '`pending`: a refresh is queued or running, and `error` contains the error of its last attempt. `succeeded`: the last refresh succeeded. `failed`: the last refresh failed (see `error`). The models then contain the data of `refreshed_at`. The next run refreshes them again.',
  'succeeded',
);

const AnalyticsRefreshKind = enumeration(
  'AnalyticsRefreshKind',
  ANALYTICS_REFRESH_KINDS,
  '`built`: the models were created. `rebuilt`: all tickets were recomputed, because definitions, schedules, statuses or the time zone have changed. `refreshed`: the changed tickets were recomputed. `unchanged`: there was nothing to recompute.',
  'refreshed',
);

const AnalyticsWarning = defineSchema(
  'AnalyticsWarning',
  object(
    {
      kind: string('The kind of the warning.', { examples: ['unknown_time_zone'] }),
      message: string('The cause and the effect.', {
        examples: ['The time zone "Mars" of business calendar 7 is unknown. The time zone of the account is used.'],
      }),
    },
    { description: 'A condition that affects the values of the models.' },
  ),
);

const AnalyticsRefresh = defineSchema(
  'AnalyticsRefresh',
  object(
    {
      schema: string('The schema of the warehouse that contains the models.', {
        examples: ['freshdesk_acme_analytics'],
      }),
      status: ref(AnalyticsStatus),
      refreshed_at: nullable(
        timestamp(
          'The start of the last successful refresh: the models contain everything that was loaded before this time. Null: the models do not exist yet.',
        ),
      ),
      kind: nullable(ref(AnalyticsRefreshKind)),
      tickets: nullable(count('The number of tickets that the last successful refresh recomputed.', 12)),
      error: nullable(ref(Failure)),
      warnings: Type.Array(ref(AnalyticsWarning), {
        description: 'The warnings of the last successful refresh.',
        examples: [[]],
      }),
    },
    { description: 'The state of the analytics models. Null: the pipeline has no models.' },
  ),
);

/** The fields of a pipeline that users can set. */
export const analyticsFields = {
  analytics: Type.Boolean({
    description:
      'Whether Freshet maintains analytics models of the tables in the schema `<destination_schema>_analytics`. The names of the models have the table prefix of the pipeline. Freshet creates the models at once, and refreshes them after each run. If you set the field to false, the models and their rows remain, but are no longer refreshed. Default for a new pipeline: false.',
    examples: [true],
  }),
  analytics_time_zone: nullable(
    string(
      'The time zone of days in the models: a name in the IANA time zone database, or a name that Freshdesk uses, such as `Eastern Time (US & Canada)`. Null: the time zone of the default business calendar of the account.',
      { minLength: 1, maxLength: 64, examples: ['Europe/Berlin'] },
    ),
  ),
};

/** The field of a pipeline that reports the state of the models. */
export const analyticsState = {
  analytics_refresh: ignoredInUpdates(nullable(ref(AnalyticsRefresh))),
};
