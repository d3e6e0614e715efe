import {
  OBJECT_RUN_STATUSES,
  READING_RUN_KINDS,
  type ReadingRunKind,
  RUN_KINDS,
  RUN_MODES,
  RUN_STATUSES,
  RUN_TRIGGERS,
  WARNING_CODES,
} from '@freshet/contracts';
import { Type } from 'typebox';
import { count, enumeration, Failure, id, list, name, nullable, object, ref, text, time } from '../../http/schemas.ts';

export const RunStatus = enumeration(
  'RunStatus',
  RUN_STATUSES,
  '`partial`: some objects did not succeed. Objects with the warning `object_unavailable` do not count.',
);
const RunTrigger = enumeration('RunTrigger', RUN_TRIGGERS, 'What started the run.');

export const RunKind = enumeration(
  'RunKind',
  RUN_KINDS,
  '`sync` brings what is new. `audit` reads everything again, to find what no changed-since filter shows. `refresh` reads single records that were asked for. `replay` loads rejected records once more. `rebuild` loads a table anew from what is stored.',
);

export const RunInput = name(
  'RunInput',
  object(
    {
      kind: Type.Optional(
        Type.Unsafe<ReadingRunKind>({
          type: 'string',
          enum: [...READING_RUN_KINDS],
          default: 'sync',
          description: '`sync` brings what is new; `audit` reads everything to compare it.',
        }),
      ),
    },
    { description: 'What to run.' },
  ),
);

const ticketNumber = Type.Optional(
  Type.Union([Type.String(), Type.Integer()], {
    description: 'The ticket’s number: `{{ticket.id}}` in an automation rule.',
    examples: ['4711'],
  }),
);

export const FreshdeskCall = name(
  'FreshdeskCall',
  Type.Object(
    {
      ticket_id: ticketNumber,
      freshdesk_webhook: Type.Optional(
        Type.Object(
          { ticket_id: ticketNumber },
          { description: 'As Freshdesk wraps what is chosen in its form; whatever else is in it is passed over.' },
        ),
      ),
    },
    { description: 'What an automation rule of Freshdesk sends.' },
  ),
);

const RunMode = enumeration(
  'RunMode',
  RUN_MODES,
  'Everything, what has changed, everything to compare it, what was asked for, or nothing: a replay and a rebuild load what was read before.',
);

const AuditFindings = name(
  'AuditFindings',
  object(
    {
      missing: count('Records that exist, and that the warehouse should have had already.'),
      stale: count('Rows that differed from their records, though no newer version was to be seen.'),
      repaired: count('Both, and rows newly marked as deleted: what is right now and was not before.'),
      explained: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
        description:
          'What keys that no list held, and numbers without a row, were found to be → how many: `archived`, `not_found`, `became_agent`, `recovered` (it existed), `present` (it moved while the lists were read), `forbidden` (the key may not see it), `unreadable` (a failed unit). `not_believed`: rows that a reading lacked, too many to be marked.',
      }),
    },
    { description: 'What an audit has found.' },
  ),
);

const ObjectRunStatus = enumeration(
  'ObjectRunStatus',
  OBJECT_RUN_STATUSES,
  '`partial`: everything was read but the failed units, which are set aside and retried. `forbidden`: the key may not read it. `not_in_plan`: the account’s plan lacks it.',
);

const RunWarningCode = enumeration(
  'RunWarningCode',
  WARNING_CODES,
  '`values_misfit`: values did not fit the type of their column. `object_unavailable`: no API key has been able to read the object yet, and no user included it by name; the status of the run ignores it. `clock_skew`: the clocks of the account, the deployment and the worker disagree, or a stored position came from such a clock.',
);

const RunWarning = name(
  'RunWarning',
  object(
    {
      code: ref(RunWarningCode),
      message: text('The cause, the effect, and the action to take, if any.', {
        examples: ['2 values of tickets.due_by are not valid timestamps. They were kept in _freshet_extra.'],
      }),
      count: count('How often the condition occurred in this run.'),
    },
    { description: 'A condition that does not fail a run.' },
  ),
);

const ObjectRun = name(
  'ObjectRun',
  object(
    {
      object: text('The object.'),
      status: ref(ObjectRunStatus),
      mode: ref(RunMode),
      records_extracted: count('Records read.'),
      records_loaded: count('Rows inserted or updated.'),
      records_unchanged: count('Records that the warehouse had already.'),
      records_deleted: count('Rows newly marked as deleted.'),
      records_rejected: count('Records that could not be loaded.'),
      failed_units: count('Failed units of the object that were outstanding when it finished; 0 before.'),
      findings: nullable(ref(AuditFindings)),
      credits_used: Type.Number({ minimum: 0, description: 'Credits spent.' }),
      bytes_staged: count('Bytes stored between reading and loading, uncompressed.'),
      progress: nullable(
        Type.Number({
          minimum: 0,
          maximum: 1,
          description:
            'Estimated share of the work that is done. It never decreases, and is 1 only at the end. Null when nothing is known, such as for a list whose length Freshdesk does not report.',
        }),
      ),
      not_before: nullable(time('It waits until then: for credits, or before another try.')),
      complete_as_of: nullable(time('The warehouse holds every change up to then, when the run has succeeded.')),
      complete_back_to: nullable(time('… and from then on. The year 1970: from the beginning.')),
      warnings: Type.Array(ref(RunWarning), { description: 'Conditions that did not fail the run. Empty: none.' }),
      error: nullable(ref(Failure)),
    },
    { description: 'The part of a run that one object has.' },
  ),
);

export const Run = name(
  'Run',
  object(
    {
      id: id('The run'),
      pipeline_id: id('Its pipeline'),
      kind: ref(RunKind),
      status: ref(RunStatus),
      trigger: ref(RunTrigger),
      created_at: time('When it was started.'),
      started_at: nullable(time('When a worker began.')),
      finished_at: nullable(time('When it was over.')),
      progress: nullable(
        Type.Number({
          minimum: 0,
          maximum: 1,
          description:
            'Estimated share of the run that is done: the progress of its objects, weighted by the credits that each usually costs. It never decreases, and is 1 only at the end.',
        }),
      ),
      estimated_finished_at: nullable(
        time(
          'Estimated end: the credits that are left to spend, at the rate of the run so far or of the account’s limit, whichever is lower. Null before enough is known and after the end.',
        ),
      ),
      objects: Type.Array(ref(ObjectRun), { description: 'Each object, by name.' }),
    },
    { description: 'One synchronisation of a pipeline.' },
  ),
);

export const RunList = list('RunList', Run);
