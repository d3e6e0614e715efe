import { AppError, type EventType } from '@freshet/contracts';
import { and, desc, eq, lt, type SQL } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { type DeliveryStatus, events, webhookDeliveries } from '../database/schema/index.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { emit } from './events.ts';
import { buildWebhookAad } from './webhook-secrets.ts';

export type Delivery = typeof webhookDeliveries.$inferSelect & { readonly event_type: EventType };

/** The data that one attempt of a delivery sends. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly type: EventType;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly template: Readonly<Record<string, unknown>> | null;
  readonly templateSecret: string | null;
  /** The signing secrets, newest first. They include the previous secret until the overlap ends. */
  readonly secrets: readonly string[];
}

export interface AttemptOutcome {
  /** The status code of the response. Null: there was no response. */
  readonly status: number | null;
  /** Null: the receiver accepted the message. */
  readonly error: string | null;
}

/**
 * The delay after each failed attempt, as in the Standard Webhooks specification. All delays
 * together take about 28 hours.
 */
const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const;
const RETRY_SECONDS_TOTAL = RETRY_SECONDS.reduce((sum, seconds) => sum + seconds, 0);
/**
 * The maximum jitter, as a share of the delay. Jitter prevents deliveries that failed together from
 * being retried together.
 */
const JITTER = 0.1;
const HTTP_GONE = 410;

/** Finds deliveries, newest first. */
async function findDeliveries(db: Database, condition: SQL | undefined, limit: number): Promise<Delivery[]> {
  const rows = await db
    .select({ delivery: webhookDeliveries, event_type: events.type })
    .from(webhookDeliveries)
    .innerJoin(events, eq(events.id, webhookDeliveries.event_id))
    .where(condition)
    .orderBy(desc(webhookDeliveries.id))
    .limit(limit);
  return rows.map(({ delivery, event_type }) => ({ ...delivery, event_type }));
}

/** Lists the deliveries of a webhook. @param status undefined: any status. */
export async function listDeliveries(
  db: Database,
  webhookId: string,
  { limit, cursor }: ListOptions,
  status: DeliveryStatus | undefined,
): Promise<List<Delivery>> {
  const condition = and(
    eq(webhookDeliveries.webhook_id, webhookId),
    status === undefined ? undefined : eq(webhookDeliveries.status, status),
    cursor === null ? undefined : lt(webhookDeliveries.id, decodeCursor(cursor)),
  );
  return toList(await findDeliveries(db, condition, limit + 1), limit);
}

/** Gets a delivery. @throws AppError `not_found`. */
export async function getDelivery(db: Database, webhookId: string, id: string): Promise<Delivery> {
  const condition = and(eq(webhookDeliveries.webhook_id, webhookId), eq(webhookDeliveries.id, id));
  const [delivery] = await findDeliveries(db, condition, 1);
  if (!delivery) throw new AppError('not_found', `Delivery ${id} of this webhook does not exist.`);
  return delivery;
}

/**
 * Gets the data that the next attempt of a delivery sends. Null: the delivery is not pending, or
 * its webhook is disabled and the event is not `webhook.test`.
 */
export async function getAttempt(sql: Sql, box: SecretBox, deliveryId: string): Promise<DeliveryAttempt | null> {
  const [row] = await sql<
    {
      event_id: string;
      webhook_id: string;
      type: EventType;
      at: Date;
      data: Record<string, unknown>;
      url: string;
      template: Record<string, unknown> | null;
      template_secret: string | null;
      secret: string;
      previous_secret: string | null;
    }[]
  >`
    select d.event_id, d.webhook_id, e.type, e.at, e.data, w.url, w.template, w.template_secret, w.secret,
      case when w.previous_until > now() then w.previous_secret end as previous_secret
    from freshet.webhook_deliveries d join freshet.events e on e.id = d.event_id
    join freshet.webhooks w on w.id = d.webhook_id
    where d.id = ${deliveryId} and d.status = 'pending' and (w.enabled or e.type = 'webhook.test')`;
  if (!row) return null;
  const open = (column: 'secret' | 'previous_secret' | 'template_secret'): string[] => {
    const sealed = row[column];
    return sealed === null ? [] : [box.open(sealed, buildWebhookAad(row.webhook_id, column))];
  };
  const { event_id: eventId, type, at, data, url, template } = row;
  const secrets = [...open('secret'), ...open('previous_secret')];
  const templateSecret = open('template_secret')[0] ?? null;
  return { deliveryId, eventId, type, at, data, url, template, templateSecret, secrets };
}

/**
 * Stores the outcome of an attempt in the caller's transaction: the delivery succeeds, is retried
 * with backoff, or fails. A webhook is disabled after all attempts have failed for more than a day,
 * or after the receiver responded with status 410. `webhook.disabled` is then emitted to the other
 * webhooks.
 */
export async function recordAttempt(
  { tx, queue }: JobTransaction,
  deliveryId: string,
  { status, error }: AttemptOutcome,
): Promise<void> {
  const [row] = await tx<{ attempts: number; webhook_id: string; type: EventType }[]>`
    select d.attempts, d.webhook_id, e.type from freshet.webhook_deliveries d join freshet.events e on e.id = d.event_id
    where d.id = ${deliveryId} and d.status = 'pending' for no key update of d`;
  if (!row) return;
  const isTest = row.type === 'webhook.test';
  const isRetryable = error !== null && status !== HTTP_GONE && !isTest;
  const retrySeconds = isRetryable ? RETRY_SECONDS[row.attempts] : undefined;
  const retryMs = retrySeconds === undefined ? null : Math.round(retrySeconds * 1000 * (1 + JITTER * Math.random()));
  await tx`
    update freshet.webhook_deliveries set attempts = attempts + 1, last_attempt_at = now(),
      response_status = ${status}, error = ${error},
      status = ${error === null ? 'delivered' : retryMs === null ? 'failed' : 'pending'},
      next_attempt_at = ${retryMs === null ? null : new Date(Date.now() + retryMs)}
    where id = ${deliveryId}`;
  if (retryMs !== null) await queue.enqueue(tx, 'deliver', { deliveryId }, { key: deliveryId, startAfterMs: retryMs });
  if (!isTest) await updateWebhookHealth({ tx, queue }, row.webhook_id, { status, error }, retryMs !== null);
}

async function updateWebhookHealth(
  { tx, queue }: JobTransaction,
  webhookId: string,
  { status, error }: AttemptOutcome,
  willRetry: boolean,
): Promise<void> {
  const [webhook] = await tx<{ name: string; has_failed_long: boolean; enabled: boolean }[]>`
    update freshet.webhooks set failing_since = ${error === null ? null : tx`coalesce(failing_since, now())`}
    where id = ${webhookId}
    returning name, enabled,
      coalesce(failing_since < now() - make_interval(secs => ${RETRY_SECONDS_TOTAL}), false) as has_failed_long`;
  if (error === null || !webhook?.enabled) return;
  if (status !== HTTP_GONE && (willRetry || !webhook.has_failed_long)) return;
  const reason =
    status === HTTP_GONE
      ? 'The receiver responded with status 410 Gone.'
      : `All attempts have failed for more than a day. Last error: ${error}`;
  await tx`
    update freshet.webhooks set enabled = false, disabled_reason = ${reason}, version = version + 1,
      updated_at = now() where id = ${webhookId}`;
  await emit({ tx, queue }, 'webhook.disabled', { webhook_id: webhookId, name: webhook.name, reason });
}
