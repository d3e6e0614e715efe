import { Type } from 'typebox';
import { EXAMPLE_CHILD_OBJECT, EXAMPLE_IDS } from '../../http/example-values.ts';
import { count, defineSchema, Failure, object, pageSchema, ref, string, timestamp, uuid } from '../../http/schemas.ts';

const FailedUnit = defineSchema(
  'FailedUnit',
  object(
    {
      id: uuid('failed_unit', 'The id of the failed unit.'),
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      object: string('The object to which the unit belongs.', { examples: [EXAMPLE_CHILD_OBJECT] }),
      key: string(
        'The key of the record that cannot be extracted. For an object with a parent, the key of the parent whose children cannot be extracted. For conversations, this is the id of the ticket.',
        { examples: ['4711'] },
      ),
      attempts: count('The number of consecutive failed attempts.', 3),
      error: ref(Failure),
      first_failed_at: timestamp('Time of the first failed attempt.', '2026-01-31T13:31:44.000Z'),
      last_failed_at: timestamp('Time of the last failed attempt.', '2026-01-31T13:46:44.000Z'),
      next_attempt_at: timestamp(
        'Time until which runs skip the unit. The interval between attempts starts at 5 minutes and doubles with each attempt, up to one day.',
        '2026-01-31T14:06:44.000Z',
      ),
    },
    { description: 'A unit of work that keeps failing. Runs skip the unit, and extract the rest of the object.' },
  ),
);

export const FailedUnitList = pageSchema('FailedUnitList', FailedUnit);

export const FailedUnitFilter = defineSchema(
  'FailedUnitFilter',
  object(
    {
      ids: Type.Optional(
        Type.Array(Type.String({ format: 'uuid' }), {
          minItems: 1,
          maxItems: 1000,
          description: 'Select the failed units with these ids.',
          examples: [[EXAMPLE_IDS.failed_unit]],
        }),
      ),
      object: Type.Optional(string('Select failed units of this object.', { examples: [EXAMPLE_CHILD_OBJECT] })),
      error_code: Type.Optional(
        string('Select failed units whose last error has this code.', { examples: ['source_unavailable'] }),
      ),
    },
    { description: 'A selection of failed units. An empty JSON object selects all failed units of the pipeline.' },
  ),
);

export const FailedUnitRetryResult = defineSchema(
  'FailedUnitRetryResult',
  object(
    {
      run_id: uuid('run', 'The refresh run that retries the units.'),
      units: count('The number of units to retry.', 1),
    },
    { description: 'A retry of failed units that was started.' },
  ),
);

export const FailedUnitDiscardResult = defineSchema(
  'FailedUnitDiscardResult',
  object(
    { units: count('The number of discarded units.', 1) },
    { description: 'The result of discarding failed units.' },
  ),
);
