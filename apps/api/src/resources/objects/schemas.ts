import { OBJECT_AVAILABILITIES } from '@freshet/contracts';
import { Type } from 'typebox';
import { EXAMPLE_OBJECT } from '../../http/example-values.ts';
import {
  count,
  defineSchema,
  enumeration,
  nullable,
  object,
  ref,
  string,
  timestamp,
  updateSchema,
  uuid,
} from '../../http/schemas.ts';
import { fieldRules, maxStaleness } from '../pipelines/schemas.ts';

export const RebuildResult = defineSchema(
  'RebuildResult',
  object(
    {
      run_id: uuid('run', 'The run that rewrites the rows of the table.'),
      batches: count('The number of batches to load.', 42),
      records: count('The number of records in these batches.', 8741),
      reaches_back_to: timestamp(
        'Time at which the oldest of these records was extracted. Rows whose records were last extracted before this time are not rewritten.',
        '2026-01-24T00:00:00.000Z',
      ),
      whole: Type.Boolean({
        description:
          'Whether the stored batches include a complete read of the object, so that every row is rewritten. If false, restart the object to rewrite the remaining rows.',
      }),
    },
    { description: 'A rebuild that was started.' },
  ),
);

export const PositionInput = defineSchema(
  'PositionInput',
  object(
    {
      changed_since: timestamp(
        'The next extraction reads the records that have changed since this time. The time must not be in the future.',
        '2026-01-30T00:00:00.000Z',
      ),
    },
    { description: 'The new position of an object.' },
  ),
);

const ObjectAvailability = enumeration(
  'ObjectAvailability',
  OBJECT_AVAILABILITIES,
  'Whether the API key of the pipeline can read the object. `forbidden`: the key has no permission to read the object. `not_in_plan`: the plan of the account does not include the object. `unknown`: no run has requested the object yet.',
);

const included = Type.Boolean({ description: 'Whether the object is replicated.' });
const detail = Type.Boolean({
  description:
    'Whether Freshet requests each record individually, to get the fields that lists do not contain. This costs one or two credits per record. The setting applies to records that are extracted after the update. To apply the setting to all records, restart the object.',
  examples: [false],
});
const history = Type.Boolean({
  description:
    'Whether every version of a row is stored in a second table. The history begins with the current rows of the table.',
});

const pipelineObject = {
  object: string('The name of the object.'),
  table: string('The table of the object in the warehouse, with its schema.', {
    examples: [`freshdesk_acme.${EXAMPLE_OBJECT}`],
  }),
  included,
  detail,
  history,
  columns: fieldRules,
  max_staleness_minutes: nullable(maxStaleness),
  stale_since: nullable(
    timestamp('Time since which the table has exceeded its maximum staleness. Null: the maximum is not exceeded.'),
  ),
  completing_since: nullable(
    timestamp(
      'Time since which rows lack values of a column that was added or changed. Freshet is rewriting these rows. Null: no values are missing.',
    ),
  ),
  availability: ref(ObjectAvailability),
  availability_message: nullable(
    string('Why the API key cannot read the object. Null: the key can read the object, or the access is unknown.'),
  ),
  complete_as_of: nullable(
    timestamp(
      'The table contains every change up to this time. Null: no run has completed the object.',
      '2026-01-31T13:31:41.000Z',
    ),
  ),
  complete_back_to: nullable(
    timestamp(
      'The table contains every record that has changed since this time. A time in 1970 means all history.',
      '2025-12-06T07:30:00.000Z',
    ),
  ),
};

export const PipelineObject = defineSchema(
  'PipelineObject',
  object(pipelineObject, { description: 'The settings, availability and coverage of an object of a pipeline.' }),
);

export const PositionResult = defineSchema(
  'PositionResult',
  object(
    {
      ...pipelineObject,
      unread_from: nullable(
        timestamp(
          'Start of the interval that the new position skips. Changes in this interval are not extracted. A time in 1970 means the start of the history. Null: no changes are skipped.',
        ),
      ),
      unread_to: nullable(timestamp('End of the skipped interval. Null: no changes are skipped.')),
    },
    { description: 'An object with a new position, and the interval of changes that the position skips.' },
  ),
);

export const PipelineObjectUpdate = updateSchema(
  'PipelineObjectUpdate',
  {
    included: Type.Optional(included),
    detail: Type.Optional(detail),
    history: Type.Optional(history),
    columns: Type.Optional(fieldRules),
    max_staleness_minutes: Type.Optional(nullable(maxStaleness)),
  },
  PipelineObject,
  {
    description:
      'The fields to update. `columns` replaces all rules of the object. If `max_staleness_minutes` is null, the staleness of the table is not monitored.',
  },
);

export const PipelineObjectList = defineSchema(
  'PipelineObjectList',
  object(
    { data: Type.Array(ref(PipelineObject), { description: 'All objects of the catalog, sorted by name.' }) },
    { description: 'The objects of a pipeline.' },
  ),
);
