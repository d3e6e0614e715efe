import { CREDIT_CLASSES, type CreditClass, type PipelinePriority } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import type { JobQueue, SendOptions } from './queue.ts';

/** What decides which of two jobs that are due goes first: what it is for, how much it has had already, and whose it is. */
export interface Urgency {
  readonly creditClass: CreditClass;
  /** A whole slice was not enough for it. */
  readonly isLong: boolean;
  readonly priority: PipelinePriority;
}

/**
 * A class is always before the next, so that no pipeline's past is read before another's changes. Whatever takes long goes on
 * like the past: however much waits of one pipeline, the changes of another wait for a slice of it at most.
 */
function rankOf({ creditClass, isLong, priority }: Urgency): number {
  const place = CREDIT_CLASSES.indexOf(creditClass);
  return -2 * (isLong ? Math.max(place, CREDIT_CLASSES.indexOf('backfill')) : place) + (priority === 'high' ? 1 : 0);
}

/**
 * The job that reads on in an object run.
 * @param urgency null: it is looked up.
 */
export async function sendExtract(
  queue: JobQueue,
  tx: Tx,
  objectRunId: string,
  urgency: Urgency | null,
  startAfterMs = 0,
): Promise<void> {
  const known = urgency ?? (await urgencyOfReading(tx, objectRunId));
  if (known !== null)
    await queue.send(tx, 'extract', { objectRunId }, { key: objectRunId, rank: rankOf(known), startAfterMs });
}

/**
 * The job that loads what waits for a table. One table is written by one of them at a time.
 * @param urgency null: the most urgent of what waits.
 */
export async function sendLoad(
  queue: JobQueue,
  tx: Tx,
  { pipelineId, object }: { readonly pipelineId: string; readonly object: string },
  urgency: Urgency | null,
  options: Pick<SendOptions, 'startAfterMs' | 'onceInSeconds' | 'alone'> = {},
): Promise<void> {
  const known = urgency ?? (await urgencyOfWaiting(tx, pipelineId, object));
  await queue.send(
    tx,
    'load',
    { pipelineId, object },
    { ...options, key: `${pipelineId}/${object}`, rank: rankOf(known) },
  );
}

/** Null: it is gone. */
async function urgencyOfReading(tx: Tx, objectRunId: string): Promise<Urgency | null> {
  const [found] = await tx<Urgency[]>`
    select o.credit_class as "creditClass", o.is_long as "isLong", p.priority from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id where o.id = ${objectRunId}`;
  return found ?? null;
}

async function urgencyOfWaiting(tx: Tx, pipelineId: string, object: string): Promise<Urgency> {
  const [found] = await tx<Urgency[]>`
    select o.credit_class as "creditClass", o.is_long as "isLong", p.priority
    from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id join freshet.pipelines p on p.id = b.pipeline_id
    where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is null
    order by o.is_long, array_position(${[...CREDIT_CLASSES]}::text[], o.credit_class) limit 1`;
  // Where nothing waits, nobody is held up by it.
  return found ?? { creditClass: 'by_hand', isLong: false, priority: 'normal' };
}
