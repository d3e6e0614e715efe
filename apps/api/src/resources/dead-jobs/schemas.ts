import { QUEUES } from '@freshet/contracts';
import { Type } from 'typebox';
import { EXAMPLE_IDS } from '../../http/example-values.ts';
import {
  count,
  defineSchema,
  enumeration,
  nullable,
  object,
  pageSchema,
  ref,
  string,
  timestamp,
  uuid,
} from '../../http/schemas.ts';

const QueueName = enumeration('QueueName', QUEUES, 'The name of a job queue.');

const DeadJob = defineSchema(
  'DeadJob',
  object(
    {
      id: uuid('dead_job', 'The id of the dead job.'),
      queue: ref(QueueName),
      data: Type.Record(Type.String(), Type.String(), {
        description: 'The payload of the job: ids and names.',
        examples: [{ objectRunId: EXAMPLE_IDS.object_run }],
      }),
      pipeline_id: nullable(uuid('pipeline', 'The pipeline. Null: the job does not belong to a pipeline.')),
      attempts: count('The number of attempts.', 3),
      reason: string('The error of the last attempt, or a message that the worker terminated during the job.', {
        examples: ['The worker terminated during the job.'],
      }),
      died_at: timestamp('Time at which the job was moved to the dead-letter queue.', '2026-01-31T13:50:00.000Z'),
    },
    {
      description:
        'A job that failed too often, or whose worker terminated too often. The object run, delivery or erasure of the job has failed. After you have fixed the cause, retry the job.',
    },
  ),
);

export const DeadJobList = pageSchema('DeadJobList', DeadJob);
