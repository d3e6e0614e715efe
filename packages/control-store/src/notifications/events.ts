import type { EventType } from '@freshet/contracts';
import { uuidv7 } from '../database/ids.ts';
import type { JobTransaction } from '../queue/job-queue.ts';

/**
 * Emits an event to its subscribers, in the transaction that causes the event. The event is
 * enqueued for delivery if and only if the transaction commits.
 * @param data ids, names, numbers and messages; never a secret, and never the content of a record
 * (I6).
 * @param webhookId the only webhook that receives the event. Absent: all enabled webhooks that
 * subscribe to the type receive the event.
 */
export async function emit(
  { tx, queue }: JobTransaction,
  type: EventType,
  data: Readonly<Record<string, unknown>>,
  webhookId?: string,
): Promise<void> {
  const subscribers = await tx<{ id: string }[]>`
    select id from freshet.webhooks
    where ${webhookId === undefined ? tx`enabled and ${type} = any(events)` : tx`id = ${webhookId}`} order by id`;
  if (subscribers.length === 0) return;
  const eventId = uuidv7();
  await tx`insert into freshet.events (id, type, data) values (${eventId}, ${type}, ${tx.json(data as never)})`;
  for (const { id } of subscribers) await enqueueDelivery({ tx, queue }, id, eventId);
}

/**
 * Creates a delivery of an event, and the job of the delivery, in the caller's transaction.
 * @returns the id of the delivery.
 */
export async function enqueueDelivery(
  { tx, queue }: JobTransaction,
  webhookId: string,
  eventId: string,
): Promise<string> {
  const id = uuidv7();
  await tx`
    insert into freshet.webhook_deliveries (id, webhook_id, event_id, next_attempt_at)
    values (${id}, ${webhookId}, ${eventId}, now())`;
  await queue.enqueue(tx, 'deliver', { deliveryId: id }, { key: id });
  return id;
}
