import type { EventType } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { JobQueue } from '../work/queue.ts';

/**
 * Tells the webhooks that want to know of it, in the transaction in which it happens: they are told exactly if it does.
 * @param data ids, names, numbers and words; never a secret, never what a record holds.
 * @param only this webhook alone; undefined: all that have subscribed.
 */
export async function emit(
  tx: Tx,
  queue: JobQueue,
  type: EventType,
  data: Readonly<Record<string, unknown>>,
  only?: string,
): Promise<void> {
  const hooks = await tx<{ id: string }[]>`
    select id from freshet.webhooks where ${only === undefined ? tx`enabled and ${type} = any(events)` : tx`id = ${only}`} order by id`;
  if (hooks.length === 0) return;
  const eventId = uuidv7();
  await tx`insert into freshet.events (id, type, data) values (${eventId}, ${type}, ${tx.json(data as never)})`;
  for (const { id } of hooks) await enqueueDelivery(tx, queue, id, eventId);
}

/** @returns the delivery's id. */
export async function enqueueDelivery(tx: Tx, queue: JobQueue, webhookId: string, eventId: string): Promise<string> {
  const id = uuidv7();
  await tx`insert into freshet.webhook_deliveries (id, webhook_id, event_id, next_attempt_at) values (${id}, ${webhookId}, ${eventId}, now())`;
  await queue.send(tx, 'deliver', { deliveryId: id }, { key: id });
  return id;
}
