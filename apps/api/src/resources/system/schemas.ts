import { QUEUES } from '@freshet/contracts';
import { Type } from 'typebox';
import { count, enumeration, id, list, name, nullable, object, ref, text, time } from '../../http/schemas.ts';

const QueueName = enumeration('QueueName', QUEUES, 'The queue of a job.');

const DeadJob = name(
  'DeadJob',
  object(
    {
      id: id('The job that was set aside'),
      queue: ref(QueueName),
      data: Type.Record(Type.String(), Type.String(), {
        description: 'What it is about: ids and names.',
        examples: [{ objectRunId: '019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21' }],
      }),
      pipeline_id: nullable(id('Its pipeline; null: it is about none')),
      attempts: count('How often it was tried.'),
      reason: text('What its last try said; where its workers ended, that they did.'),
      died_at: time('When it was set aside.'),
    },
    {
      description:
        'A job that has failed, or ended its workers, too often. What waited for it has failed; it is sent again when somebody has seen to it.',
    },
  ),
);

export const DeadJobList = list('DeadJobList', DeadJob);

const ProcessState = enumeration(
  'ProcessState',
  ['alive', 'quiet', 'stopped'],
  '`quiet`: not heard of for three heartbeats. `stopped`: it has ended as it should.',
);

const LivingProcess = name(
  'LivingProcess',
  object(
    {
      id: id('The process'),
      name: text('What kind it is.', { examples: ['load-worker'] }),
      host: text('Where it runs.', { examples: ['worker-7f9c'] }),
      pid: count('Its number there.'),
      state: ref(ProcessState),
      cpu: nullable(
        Type.Number({ minimum: 0, description: 'Cores that it uses; null: not known yet.', examples: [0.4] }),
      ),
      memory_bytes: nullable(
        Type.Number({
          minimum: 0,
          description: 'Memory that it uses, in bytes; null: not known yet.',
          examples: [150_000_000],
        }),
      ),
      started_at: time('When it was started.'),
      seen_at: time('When it was last heard of.'),
    },
    { description: 'A process that works on the queues, as it has last said of itself.' },
  ),
);

const QueueDepth = name(
  'QueueDepth',
  object(
    {
      queue: text('The queue.', { examples: ['extract'] }),
      ready: count('Jobs that could be worked on now.'),
      deferred: count('Jobs that wait for their time.'),
      active: count('Jobs that are worked on.'),
      oldest_seconds: Type.Number({
        minimum: 0,
        description: 'For how long the oldest of those that are ready has been, in seconds.',
      }),
    },
    { description: 'How much work waits in a queue.' },
  ),
);

export const System = name(
  // Not `System`, nor `Process`: in Java they are others' names.
  'SystemStatus',
  object(
    {
      processes: Type.Array(ref(LivingProcess), { description: 'Those that were heard of in the last hour.' }),
      queues: Type.Array(ref(QueueDepth), { description: 'Queues with jobs.' }),
      unloaded_bytes: count('Bytes of batches that are stored and not loaded yet, compressed.'),
      unloaded_batches: count('Batches that are stored and not loaded yet.'),
      rejected_records: count('Rejected records that wait for somebody’s decision.'),
      failed_units: count('Units of work that could not be read and are set aside.'),
      dead_jobs: count('Jobs that were set aside.'),
      open_runs: count('Runs that are queued or running.'),
    },
    { description: 'How the deployment is.' },
  ),
);

export const Health = name(
  'Health',
  object(
    {
      status: Type.Unsafe<'ok' | 'unavailable'>({
        type: 'string',
        enum: ['ok', 'unavailable'],
        description: 'Whether it is well.',
      }),
    },
    { description: 'The state of this process.' },
  ),
);

// Parts of requests, written out in each operation.
