import { Type } from 'typebox';
import { count, defineSchema, nullable, object, pageSchema, ref, timestamp, uuid } from '../../http/schemas.ts';
import { RunKind, RunStatus, RunTrigger } from '../runs/schemas.ts';
import { Pipeline } from './schemas.ts';

const RunSummary = defineSchema(
  'RunSummary',
  object(
    {
      id: uuid('run', 'The id of the run.'),
      kind: ref(RunKind),
      status: ref(RunStatus),
      trigger: ref(RunTrigger),
      created_at: timestamp('Time of creation.', '2026-01-31T13:31:41.008Z'),
      finished_at: nullable(timestamp('Time at which the run finished.', '2026-01-31T13:44:02.113Z')),
      progress: nullable(
        Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'The estimated completed share of the run. Null: there is no estimate.',
          examples: [1],
        }),
      ),
      is_first_sync: Type.Boolean({ description: 'Whether no earlier sync of the pipeline has loaded data.' }),
      objects: count('Number of objects in the run.', 17),
      failed_objects: count('Number of objects that failed.', 0),
      partial_objects: count('Number of objects that did not finish completely.', 0),
    },
    { description: 'A run without its objects.' },
  ),
);

const DailyUsage = defineSchema(
  'DailyUsage',
  object(
    {
      day: Type.String({ format: 'date', description: 'The day (UTC) on which the runs were created.' }),
      records_loaded: count('Number of rows that were inserted or updated.', 8655),
      credits_used: Type.Number({ minimum: 0, description: 'Number of credits used.', examples: [90] }),
    },
    { description: 'The records and credits of one day.' },
  ),
);

const PipelineActivity = defineSchema(
  'PipelineActivity',
  object(
    {
      pipeline: ref(Pipeline),
      last_run: nullable(ref(RunSummary)),
      open_run: nullable(ref(RunSummary)),
      last_status: nullable(ref(RunStatus)),
      fresh_as_of: nullable(
        timestamp(
          'Time up to which every table was complete after the newest finished sync. Null: no sync has finished.',
          '2026-01-31T13:31:41.000Z',
        ),
      ),
      usage: Type.Array(ref(DailyUsage), { description: 'The days with usage in the last 30 days, oldest first.' }),
    },
    {
      description:
        'A pipeline, its newest run (`last_run`), its newest open run (`open_run`), the status of its newest finished run that was not cancelled (`last_status`), its freshness and its usage.',
    },
  ),
);
export const PipelineActivityList = pageSchema('PipelineActivityList', PipelineActivity);

export const PipelineSummary = defineSchema(
  'PipelineSummary',
  object(
    {
      pipelines: count('Number of pipelines.', 12),
      pipelines_needing_attention: count(
        'Number of active pipelines whose last run failed or is partial, and of pipelines that Freshet has paused.',
        1,
      ),
      synced_pipelines: count('Number of pipelines with a finished sync.', 11),
      freshest_as_of: nullable(timestamp('The `fresh_as_of` of the freshest pipeline.', '2026-01-31T13:31:41.000Z')),
      stalest_as_of: nullable(timestamp('The `fresh_as_of` of the stalest pipeline.', '2026-01-31T07:31:41.000Z')),
      today: ref(DailyUsage),
      week_ago: ref(DailyUsage),
    },
    {
      description:
        'The state of all pipelines, and their usage on the current day (`today`) and on the same day a week ago (`week_ago`).',
    },
  ),
);
