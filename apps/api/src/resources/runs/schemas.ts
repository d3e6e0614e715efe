import {
  EXTRACTION_RUN_KINDS,
  type ExtractionRunKind,
  OBJECT_RUN_STATUSES,
  RUN_KINDS,
  RUN_MODES,
  RUN_STATUSES,
  RUN_TRIGGERS,
  WARNING_CODES,
} from '@freshet/contracts';
import { Type } from 'typebox';
import {
  count,
  defineSchema,
  enumeration,
  Failure,
  nullable,
  object,
  pageSchema,
  ref,
  string,
  timestamp,
  uuid,
} from '../../http/schemas.ts';

export const RunStatus = enumeration(
  'RunStatus',
  RUN_STATUSES,
  'The status of a run. `succeeded`: every object run has succeeded. `failed`: no object run has succeeded or is `partial`. `partial`: the run has finished with any other combination. Object runs with the warning `object_unavailable` are ignored.',
  'succeeded',
);
export const RunTrigger = enumeration('RunTrigger', RUN_TRIGGERS, 'The trigger that started the run.');

export const RunKind = enumeration(
  'RunKind',
  RUN_KINDS,
  'The kind of run. `sync` extracts changes. `audit` completely reads the objects that syncs read incrementally, to find changes that no filter reveals. `refresh` extracts single records. `replay` loads rejected records again. `rebuild` rewrites the rows of tables from stored batches.',
);

export const RunInput = defineSchema(
  'RunInput',
  object(
    {
      kind: Type.Optional(
        Type.Unsafe<ExtractionRunKind>({
          type: 'string',
          enum: [...EXTRACTION_RUN_KINDS],
          default: 'sync',
          description:
            '`sync` extracts changes. `audit` completely reads the objects that syncs read incrementally, and compares the records with the warehouse.',
        }),
      ),
    },
    { description: 'The run to start.' },
  ),
);

const RunMode = enumeration(
  'RunMode',
  RUN_MODES,
  'Which records are extracted. `full`: all records of the configured history. `incremental`: changed records. `audit`: all records, to compare them with the table. For an object with a parent, only the children of parents that changed in the last 30 days. `refresh`: the requested records. `replay`, `rebuild`: no records, because stored records are loaded.',
  'incremental',
);

const AuditFindings = defineSchema(
  'AuditFindings',
  object(
    {
      missing: count('Records that were missing from the warehouse.', 2),
      stale: count('Rows that differed from their records although both had the same time of change.', 1),
      repaired: count('Rows that the audit inserted, updated or marked as deleted.', 3),
      explained: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
        description:
          'The audit looks up the key of each row that no list contained, and each key that is missing from the sequence of keys. This field contains the number of keys for each result of the lookup. `archived`: the ticket is archived. `not_found`: the record does not exist. `became_agent`: the contact is now an agent. `recovered`: the record exists, and the audit loaded it. `present`: the record exists, and was missing from the lists only because it moved while the lists were being read. `forbidden`: the API key cannot read the record. `unreadable`: the record is a failed unit. `not_believed`: the row was missing from a complete read, but too many rows were missing to mark them as deleted. `unsettled`: the list changed during every pass, so the audit drew no conclusion from missing records.',
        examples: [{ archived: 12 }],
      }),
    },
    { description: 'The findings of an audit.' },
  ),
);

const ObjectRunStatus = enumeration(
  'ObjectRunStatus',
  OBJECT_RUN_STATUSES,
  'The status of an object run. `partial`: everything except failed units was extracted. `forbidden`: the API key has no permission to read the object. `not_in_plan`: the plan of the account does not include the object.',
  'succeeded',
);

const RunWarningCode = enumeration(
  'RunWarningCode',
  WARNING_CODES,
  'The condition. `values_misfit`: values did not fit the type of their column. `object_unavailable`: no API key has been able to read the object so far, and no user has included the object explicitly. The object does not affect the status of the run. `clock_skew`: the clocks of the account, the deployment and the worker disagree, or a wrong clock affected a stored position.',
);

const RunWarning = defineSchema(
  'RunWarning',
  object(
    {
      code: ref(RunWarningCode),
      message: string('The cause, the effect and, if there is one, the remedy.', {
        examples: ['2 values of tickets.due_by are not valid timestamps. They were stored in _freshet_extra.'],
      }),
      count: count('The number of occurrences in this run.', 2),
    },
    { description: 'A condition that does not fail a run.' },
  ),
);

const progress = (description: string) => nullable(Type.Number({ minimum: 0, maximum: 1, description, examples: [1] }));

const ObjectRun = defineSchema(
  'ObjectRun',
  object(
    {
      object: string('The name of the object.'),
      status: ref(ObjectRunStatus),
      mode: ref(RunMode),
      records_extracted: count('Extracted records.', 8741),
      records_loaded: count('Rows that were inserted or updated.', 8655),
      records_unchanged: count('Records that did not differ from their rows.', 84),
      records_deleted: count('Rows that were marked as deleted.', 3),
      records_rejected: count('Records that could not be loaded.', 2),
      failed_units: count('Failed units of the object when the object run finished. 0 until then.', 0),
      findings: nullable(ref(AuditFindings)),
      credits_used: Type.Number({ minimum: 0, description: 'Credits that were used.', examples: [90] }),
      bytes_staged: count('Uncompressed size of the stored batches, in bytes.', 12_582_912),
      progress: progress(
        'The estimated completed share of the object run. The share never decreases, and is 1 only after the object run has finished. Null: no estimate is possible, for example because Freshdesk does not report the length of a list.',
      ),
      started_at: nullable(
        timestamp('Time at which a worker started the object run. Null: no worker has.', '2026-01-31T13:31:41.420Z'),
      ),
      finished_at: nullable(timestamp('Time at which the object run finished.', '2026-01-31T13:40:12.008Z')),
      not_before: nullable(
        timestamp(
          'Time until which the object run waits for credits or for a retry. Null: the object run is not waiting.',
        ),
      ),
      complete_as_of: nullable(
        timestamp('If the run succeeds, the table contains every change up to this time.', '2026-01-31T13:31:41.000Z'),
      ),
      complete_back_to: nullable(
        timestamp(
          'If the run succeeds, the table contains every record that has changed since this time. A time in 1970 means all history.',
          '2025-12-06T07:30:00.000Z',
        ),
      ),
      warnings: Type.Array(ref(RunWarning), { description: 'Conditions that did not fail the run.', examples: [[]] }),
      error: nullable(ref(Failure)),
    },
    { description: 'The part of a run that concerns one object.' },
  ),
);

export const Run = defineSchema(
  'Run',
  object(
    {
      id: uuid('run', 'The id of the run.'),
      pipeline_id: uuid('pipeline', 'The pipeline.'),
      kind: ref(RunKind),
      status: ref(RunStatus),
      trigger: ref(RunTrigger),
      created_at: timestamp('Time of creation.', '2026-01-31T13:31:41.008Z'),
      started_at: nullable(timestamp('Time at which a worker started the run.', '2026-01-31T13:31:41.420Z')),
      finished_at: nullable(timestamp('Time at which the run finished.', '2026-01-31T13:44:02.113Z')),
      progress: progress(
        'The estimated completed share of the run: the progress of its objects, weighted by the credits that the objects usually need. The share never decreases, and is 1 only after the run has finished. Null: there is no estimate.',
      ),
      estimated_finished_at: nullable(
        timestamp(
          'The estimated time at which the run finishes. The estimate is based on the credits that are still needed, and on the credits per minute that the run has used so far. The rate limit of the account is used if it is lower. Null: there is no estimate yet, or the run has finished.',
          '2026-01-31T13:44:00.000Z',
        ),
      ),
      trace_id: nullable(
        string(
          'The id of the trace (OpenTelemetry) that contains the requests, steps and loads of the run. Null: the run is not traced, or its trace is not sampled.',
          { examples: ['4bf92f3577b34da6a3ce929d0e0e4736'] },
        ),
      ),
      trace_url: nullable(
        string(
          'The address of the trace in the tracing system of the operator. Null: the run has no trace, or the operator has not configured the address (`FRESHET_TRACE_URL`).',
          { examples: ['https://jaeger.example.com/trace/4bf92f3577b34da6a3ce929d0e0e4736'] },
        ),
      ),
      objects: Type.Array(ref(ObjectRun), { description: 'The objects of the run, sorted by name.' }),
    },
    { description: 'One execution of a pipeline, such as a sync or an audit.' },
  ),
);

export const RunList = pageSchema('RunList', Run);
