import { Type } from 'typebox';
import { count, Failure, id, list, name, object, ref, text, time } from '../../http/schemas.ts';

const FailedUnit = name(
  'FailedUnit',
  object(
    {
      id: id('The failed unit'),
      pipeline_id: id('Its pipeline'),
      object: text('The object that the unit belongs to.'),
      key: text(
        'Key of the parent whose children cannot be read (for conversations, the ticket), or of the record whose lookup fails.',
      ),
      attempts: count('Failed attempts since the unit was last read.'),
      error: ref(Failure),
      first_failed_at: time('Time of the first failed attempt.'),
      last_failed_at: time('Time of the last failed attempt.'),
      next_attempt_at: time(
        'Runs skip the unit until then. The interval doubles with each attempt, from 5 minutes to one day.',
      ),
    },
    { description: 'A unit of work that keeps failing. It is set aside while the rest of its object is read.' },
  ),
);

export const FailedUnitList = list('FailedUnitList', FailedUnit);

export const FailedUnitFilter = name(
  'FailedUnitFilter',
  object(
    {
      ids: Type.Optional(
        Type.Array(Type.String({ format: 'uuid' }), {
          minItems: 1,
          maxItems: 1000,
          description: 'Only these failed units.',
        }),
      ),
      object: Type.Optional(text('Only failed units of this object.')),
      error_code: Type.Optional(text('Only failed units whose last error has this code.')),
    },
    { description: 'Selects failed units; an empty object selects all of the pipeline’s.' },
  ),
);

export const FailedUnitsRetried = name(
  'FailedUnitsRetried',
  object(
    { run_id: id('The refresh run that reads the units'), units: count('Units that the run reads.') },
    { description: 'A retry that was started.' },
  ),
);

export const FailedUnitsDiscarded = name(
  'FailedUnitsDiscarded',
  object({ units: count('Units that were discarded.') }, { description: 'The result of a discard.' }),
);
