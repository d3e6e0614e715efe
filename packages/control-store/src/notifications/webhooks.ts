import type { EventType } from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import {
  createNameConflict,
  deleteResource,
  getResource,
  listResources,
  mapConstraintErrors,
  updateResource,
} from '../database/resource-table.ts';
import { type DeliveryStatus, webhooks } from '../database/schema/index.ts';
import { Store } from '../store.ts';
import { emit, enqueueDelivery } from './events.ts';
import {
  type AttemptOutcome,
  type Delivery,
  type DeliveryAttempt,
  getAttempt,
  getDelivery,
  listDeliveries,
  recordAttempt,
} from './webhook-deliveries.ts';
import { buildWebhookAad, generateSigningSecret } from './webhook-secrets.ts';

export type Webhook = Omit<typeof webhooks.$inferSelect, 'secret' | 'previous_secret' | 'template_secret'> & {
  readonly has_template_secret: boolean;
};

export interface WebhookInput {
  readonly name: string;
  readonly url: string;
  readonly events: readonly EventType[];
  readonly enabled: boolean;
  /** The body to send instead of the event. Null: the event is sent. */
  readonly template?: Readonly<Record<string, unknown>> | null;
  /** The value of `{{secret}}` in the template and in the URL. Write-only. */
  readonly template_secret?: string | null;
}

/** A webhook and its new signing secret. No later response contains this secret. */
export interface NewWebhook {
  readonly webhook: Webhook;
  readonly secret: string;
}

const RESOURCE = { table: webhooks, name: 'webhook' };

const conflicts = { webhooks_name_unique: createNameConflict('webhook') };

/** Webhooks and their deliveries. */
export class Webhooks extends Store {
  /** @throws AppError `conflict` when the name is in use. */
  async create(input: WebhookInput): Promise<NewWebhook> {
    const id = uuidv7();
    const secret = generateSigningSecret();
    const row = {
      id,
      ...input,
      events: [...input.events],
      template: input.template ? { ...input.template } : null,
      secret: this.box.seal(secret, buildWebhookAad(id, 'secret')),
      template_secret: input.template_secret ? this.#sealTemplateSecret(id, input.template_secret) : null,
    };
    const [created] = await mapConstraintErrors(this.db.insert(webhooks).values(row).returning(), conflicts);
    return { webhook: omitSecrets(created as typeof webhooks.$inferSelect), secret };
  }

  /** @throws AppError `not_found`. */
  async get(id: string): Promise<Webhook> {
    return omitSecrets(await getResource(this.lookupSql, RESOURCE, id));
  }

  async list(options: ListOptions, filter: { readonly name?: string | undefined } = {}): Promise<List<Webhook>> {
    const { data, nextCursor } = await listResources(this.sql, RESOURCE, options, filter);
    return { data: data.map(omitSecrets), nextCursor };
  }

  /**
   * Updates a webhook. Enabling a webhook clears its `disabled_reason` and `failing_since`.
   * @param expected the expected version. Null: any.
   */
  async update(id: string, input: Partial<WebhookInput>, expected: number | null): Promise<Webhook> {
    const { events, template, template_secret: templateSecret, ...rest } = input;
    const changes = {
      ...rest,
      ...(events === undefined ? {} : { events: [...events] }),
      ...(template === undefined ? {} : { template: template === null ? null : { ...template } }),
      ...(templateSecret === undefined
        ? {}
        : { template_secret: templateSecret === null ? null : this.#sealTemplateSecret(id, templateSecret) }),
      ...(input.enabled === true ? { disabled_reason: null, failing_since: null } : {}),
    };
    return omitSecrets(
      await mapConstraintErrors(updateResource(this.db, RESOURCE, id, { changes, expected }), conflicts),
    );
  }

  delete(id: string, expected: number | null): Promise<void> {
    return deleteResource(this.db, RESOURCE, id, expected);
  }

  /** Rotates the signing secret. Messages are signed with both secrets during the overlap. */
  async rotate(id: string, overlapMinutes: number, expected: number | null): Promise<NewWebhook> {
    const { secret: sealed } = await getResource(this.lookupSql, RESOURCE, id);
    const previous = this.box.open(sealed, buildWebhookAad(id, 'secret'));
    const secret = generateSigningSecret();
    const changes = {
      secret: this.box.seal(secret, buildWebhookAad(id, 'secret')),
      previous_secret: this.box.seal(previous, buildWebhookAad(id, 'previous_secret')),
      previous_until: sql`now() + make_interval(mins => ${overlapMinutes})` as unknown as Date,
    };
    const updated = await updateResource(this.db, RESOURCE, id, { changes, expected });
    return { webhook: omitSecrets(updated), secret };
  }

  /** Emits `webhook.test` to this webhook, even if it is disabled. @returns the delivery. */
  async sendTestEvent(id: string): Promise<Delivery> {
    const { name } = await this.get(id);
    await this.sql.begin((tx) => emit({ tx, queue: this.queue }, 'webhook.test', { webhook_id: id, name }, id));
    const [delivery] = (await this.listDeliveries(id, { limit: 1, cursor: null }, {})).data;
    return delivery as Delivery;
  }

  /** @throws AppError `not_found` when the webhook does not exist. */
  async listDeliveries(
    id: string,
    options: ListOptions,
    filter: { readonly status?: DeliveryStatus | undefined },
  ): Promise<List<Delivery>> {
    await this.get(id);
    return listDeliveries(this.db, id, options, filter.status);
  }

  /**
   * Delivers an event again. The new delivery has the same message id, so that receivers can
   * deduplicate it.
   */
  async redeliver(id: string, deliveryId: string): Promise<Delivery> {
    const { event_id: eventId } = await getDelivery(this.db, id, deliveryId);
    const newId = await this.sql.begin((tx) => enqueueDelivery({ tx, queue: this.queue }, id, eventId));
    return getDelivery(this.db, id, newId);
  }

  /**
   * Gets the data that the next attempt of a delivery sends. Null: the delivery is not pending, or
   * its webhook is disabled and the event is not `webhook.test`.
   */
  getAttempt(deliveryId: string): Promise<DeliveryAttempt | null> {
    return getAttempt(this.sql, this.box, deliveryId);
  }

  /** Stores the outcome of an attempt, and enqueues a retry or disables the webhook if required. */
  async recordAttempt(deliveryId: string, outcome: AttemptOutcome): Promise<void> {
    await this.sql.begin((tx) => recordAttempt({ tx, queue: this.queue }, deliveryId, outcome));
  }

  /**
   * Deletes events that are older than `olderThanDays` days, together with their deliveries.
   * @returns the number of deleted events.
   */
  async pruneEvents(olderThanDays: number): Promise<number> {
    const deleted = await this.sql`
      delete from freshet.events where at < now() - make_interval(days => ${olderThanDays})`;
    return deleted.count;
  }

  #sealTemplateSecret(id: string, secret: string): string {
    return this.box.seal(secret, buildWebhookAad(id, 'template_secret'));
  }
}

function omitSecrets({
  secret: _secret,
  previous_secret: _previous,
  template_secret: templateSecret,
  ...rest
}: typeof webhooks.$inferSelect): Webhook {
  return { ...rest, has_template_secret: templateSecret !== null };
}
