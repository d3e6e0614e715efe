import { Type } from 'typebox';
import {
  count,
  defineSchema,
  enumeration,
  nullable,
  object,
  ref,
  string,
  timestamp,
  uuid,
} from '../../http/schemas.ts';

const ProcessState = enumeration(
  'ProcessState',
  ['alive', 'quiet', 'stopped'],
  'The state of a process. `quiet`: the process has missed three heartbeats. `stopped`: the process has shut down.',
);

// The name is not `Process`, because the generated Java class would conflict with
// `java.lang.Process`.
const SystemProcess = defineSchema(
  'SystemProcess',
  object(
    {
      id: uuid('process', 'The id of the process.'),
      name: string('The name of the application.', { examples: ['load-worker'] }),
      host: string('The host name.', { examples: ['worker-7f9c'] }),
      pid: count('The process id on the host.', 17),
      state: ref(ProcessState),
      cpu: nullable(
        Type.Number({
          minimum: 0,
          description: 'The number of CPU cores in use. Null: not known yet.',
          examples: [0.4],
        }),
      ),
      memory_bytes: nullable(
        Type.Number({
          minimum: 0,
          description: 'Resident memory, in bytes. Null: not known yet.',
          examples: [150_000_000],
        }),
      ),
      started_at: timestamp('Time at which the process started.', '2026-01-31T12:21:16.384Z'),
      seen_at: timestamp('Time of the last heartbeat.', '2026-01-31T13:45:00.000Z'),
    },
    { description: 'A process of the deployment. The values are those of its last heartbeat.' },
  ),
);

const QueueDepth = defineSchema(
  'QueueDepth',
  object(
    {
      queue: string('The name of the queue.', { examples: ['extract'] }),
      ready: count('Jobs that are ready to run.', 3),
      deferred: count('Jobs that are scheduled for a later time.', 1),
      active: count('Jobs that are running.', 2),
      oldest_seconds: Type.Number({
        minimum: 0,
        description: 'How long the oldest ready job has been waiting, in seconds.',
        examples: [1.2],
      }),
    },
    { description: 'The number of jobs in a queue.' },
  ),
);

// The name is not `System`, because the generated Java class would conflict with
// `java.lang.System`.
export const SystemStatus = defineSchema(
  'SystemStatus',
  object(
    {
      processes: Type.Array(ref(SystemProcess), { description: 'Processes with a heartbeat in the last hour.' }),
      queues: Type.Array(ref(QueueDepth), { description: 'Queues that have jobs.' }),
      unloaded_bytes: count('Compressed size of the batches that are not loaded yet, in bytes.', 1_048_576),
      unloaded_batches: count('Batches that are not loaded yet.', 4),
      rejected_records: count('Rejected records that have been neither replayed nor discarded.', 2),
      failed_units: count('Failed units.', 1),
      dead_jobs: count('Dead jobs.', 0),
      open_runs: count('Runs that are queued or running.', 1),
    },
    { description: 'The status of the deployment.' },
  ),
);
