import { randomBytes } from 'node:crypto';
import { AppError, type EventType } from '@freshet/contracts';
import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { Database, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { type DeliveryStatus, events, webhookDeliveries, webhooks } from '../database/schema.ts';
import { changeResource, deleteResource, findResource, listResources, refuseConflicts } from '../resources/resource.ts';
import type { SecretBox } from '../security/secret-box.ts';
import type { JobQueue } from '../work/queue.ts';
import { emit, enqueueDelivery } from './events.ts';

export type Webhook = Omit<typeof webhooks.$inferSelect, 'secret' | 'previous_secret' | 'template_secret'> & {
  readonly has_template_secret: boolean;
};
export type Delivery = typeof webhookDeliveries.$inferSelect & { readonly event_type: EventType };

export interface WebhookInput {
  readonly name: string;
  readonly url: string;
  readonly events: readonly EventType[];
  readonly enabled: boolean;
  readonly template?: Readonly<Record<string, unknown>> | null;
  /** What `{{secret}}` stands for in the template and the URL. Never shown again. */
  readonly template_secret?: string | null;
}

/** A webhook whose signing secret was just made: the only time that it is shown. */
export interface NewWebhook {
  readonly webhook: Webhook;
  readonly secret: string;
}

/** All that an attempt needs. */
export interface Attempt {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly type: EventType;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly template: Readonly<Record<string, unknown>> | null;
  readonly templateSecret: string | null;
  /** The newest first; beside it the one before, while it still signs. */
  readonly secrets: readonly string[];
}

export interface AttemptOutcome {
  /** Of the answer; null: there was none. */
  readonly status: number | null;
  /** Null: it was taken. */
  readonly error: string | null;
}

/** What is waited after each attempt that failed, as the Standard Webhooks specification has it: 28 hours together. */
const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const;
/** Waiting times differ by up to a tenth, so that those who failed together do not come back together. */
const JITTER = 0.1;
const GONE = 410;

const nameTaken = {
  webhooks_name_unique: new AppError('conflict', 'name: another webhook has this name.', {
    context: { pointer: '/name' },
  }),
};

/** Who is told of events, and what was delivered to them. */
export class Webhooks {
  readonly #db: Database;
  readonly #sql: Sql;
  readonly #queue: JobQueue;
  readonly #box: SecretBox;

  constructor(db: Database, sql: Sql, queue: JobQueue, box: SecretBox) {
    this.#db = db;
    this.#sql = sql;
    this.#queue = queue;
    this.#box = box;
  }

  async create(input: WebhookInput): Promise<NewWebhook> {
    const id = uuidv7();
    const secret = newSecret();
    const row = {
      id,
      ...input,
      events: [...input.events],
      template: input.template ? { ...input.template } : null,
      secret: this.#box.seal(secret, boundTo(id, 'secret')),
      template_secret: input.template_secret
        ? this.#box.seal(input.template_secret, boundTo(id, 'template_secret'))
        : null,
    };
    const [created] = await refuseConflicts(this.#db.insert(webhooks).values(row).returning(), nameTaken);
    return { webhook: withoutSecrets(created as typeof webhooks.$inferSelect), secret };
  }

  async get(id: string): Promise<Webhook> {
    return withoutSecrets(await findResource(this.#sql, webhooks, 'webhook', id));
  }

  async list(options: ListOptions, filter: { readonly name?: string | undefined } = {}): Promise<List<Webhook>> {
    const { data, nextCursor } = await listResources(this.#sql, webhooks, options, filter);
    return { data: data.map(withoutSecrets), nextCursor };
  }

  /** Enabling one that Freshet has disabled begins its patience anew. */
  async change(id: string, input: Partial<WebhookInput>, expected: number | null): Promise<Webhook> {
    const { events: wanted, template, template_secret: templateSecret, ...rest } = input;
    const changes = {
      ...rest,
      ...(wanted === undefined ? {} : { events: [...wanted] }),
      ...(template === undefined ? {} : { template: template === null ? null : { ...template } }),
      ...(templateSecret === undefined
        ? {}
        : {
            template_secret:
              templateSecret === null ? null : this.#box.seal(templateSecret, boundTo(id, 'template_secret')),
          }),
      ...(input.enabled === true ? { disabled_reason: null, failing_since: null } : {}),
    };
    return withoutSecrets(
      await refuseConflicts(changeResource(this.#db, webhooks, 'webhook', id, changes, expected), nameTaken),
    );
  }

  delete(id: string, expected: number | null): Promise<void> {
    return deleteResource(this.#db, webhooks, 'webhook', id, expected);
  }

  /** A new signing secret; the old one signs beside it for so long. */
  async rotate(id: string, overlapMinutes: number, expected: number | null): Promise<NewWebhook> {
    const { secret: old } = await findResource(this.#sql, webhooks, 'webhook', id);
    const secret = newSecret();
    const changed = await changeResource(
      this.#db,
      webhooks,
      'webhook',
      id,
      {
        secret: this.#box.seal(secret, boundTo(id, 'secret')),
        previous_secret: this.#box.seal(this.#box.open(old, boundTo(id, 'secret')), boundTo(id, 'previous_secret')),
        previous_until: sql`now() + make_interval(mins => ${overlapMinutes})` as unknown as Date,
      },
      expected,
    );
    return { webhook: withoutSecrets(changed), secret };
  }

  /** Delivers an event that says only that it is a test, whether the webhook is enabled or not. @returns the delivery. */
  async test(id: string): Promise<Delivery> {
    const { name } = await this.get(id);
    await this.#sql.begin((tx) => emit(tx, this.#queue, 'webhook.test', { webhook_id: id, name }, id));
    const [delivery] = (await this.deliveries(id, { limit: 1, cursor: null }, {})).data;
    return delivery as Delivery;
  }

  async deliveries(
    id: string,
    options: ListOptions,
    filter: { readonly status?: DeliveryStatus | undefined },
  ): Promise<List<Delivery>> {
    await this.get(id);
    const rows = await this.#deliveriesWhere(
      and(
        eq(webhookDeliveries.webhook_id, id),
        filter.status === undefined ? undefined : eq(webhookDeliveries.status, filter.status),
        options.cursor === null ? undefined : lt(webhookDeliveries.id, decodeCursor(options.cursor)),
      ),
      options.limit + 1,
    );
    return toList(rows, options.limit);
  }

  /** Sends a delivery's event once more, as a delivery of its own with the same message id, which tells receivers that it is the same. */
  async redeliver(id: string, deliveryId: string): Promise<Delivery> {
    const [known] = await this.#deliveriesWhere(
      and(eq(webhookDeliveries.webhook_id, id), eq(webhookDeliveries.id, deliveryId)),
      1,
    );
    if (!known) throw new AppError('not_found', `There is no delivery ${deliveryId} of this webhook.`);
    const again = await this.#sql.begin((tx) => enqueueDelivery(tx, this.#queue, id, known.event_id));
    const [delivery] = await this.#deliveriesWhere(eq(webhookDeliveries.id, again), 1);
    return delivery as Delivery;
  }

  /** What a job is to deliver; null when there is nothing left to do about it. */
  async attempt(deliveryId: string): Promise<Attempt | null> {
    const [row] = await this.#sql<
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
        previous: string | null;
      }[]
    >`
      select d.event_id, d.webhook_id, e.type, e.at, e.data, w.url, w.template, w.template_secret, w.secret, case when w.previous_until > now() then w.previous_secret end as previous
      from freshet.webhook_deliveries d join freshet.events e on e.id = d.event_id join freshet.webhooks w on w.id = d.webhook_id
      where d.id = ${deliveryId} and d.status = 'pending' and (w.enabled or e.type = 'webhook.test')`;
    if (!row) return null;
    const secrets = [this.#box.open(row.secret, boundTo(row.webhook_id, 'secret'))];
    if (row.previous !== null) secrets.push(this.#box.open(row.previous, boundTo(row.webhook_id, 'previous_secret')));
    const templateSecret =
      row.template_secret === null
        ? null
        : this.#box.open(row.template_secret, boundTo(row.webhook_id, 'template_secret'));
    const { event_id: eventId, type, at, data, url, template } = row;
    return { deliveryId, eventId, type, at, data, url, template, templateSecret, secrets };
  }

  /** Notes an attempt: it is over, or tried again later. Who has failed for all that time is disabled, and the others are told. */
  async settle(deliveryId: string, { status, error }: AttemptOutcome): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const [row] = await tx<{ attempts: number; webhook_id: string; type: EventType }[]>`
        select d.attempts, d.webhook_id, e.type from freshet.webhook_deliveries d join freshet.events e on e.id = d.event_id
        where d.id = ${deliveryId} and d.status = 'pending' for no key update of d`;
      if (!row) return;
      const wait =
        error === null || status === GONE || row.type === 'webhook.test' ? undefined : RETRY_SECONDS[row.attempts];
      const ms = wait === undefined ? null : Math.round(wait * 1000 * (1 + JITTER * Math.random()));
      await tx`
        update freshet.webhook_deliveries set attempts = attempts + 1, last_attempt_at = now(), response_status = ${status}, error = ${error},
          status = ${error === null ? 'delivered' : ms === null ? 'failed' : 'pending'},
          next_attempt_at = ${ms === null ? null : new Date(Date.now() + ms)}
        where id = ${deliveryId}`;
      if (ms !== null) await this.#queue.send(tx, 'deliver', { deliveryId }, { key: deliveryId, startAfterMs: ms });
      if (row.type === 'webhook.test') return;
      const [hook] = await tx<{ name: string; failing_since: Date | null; lasting: boolean; enabled: boolean }[]>`
        update freshet.webhooks set failing_since = ${error === null ? null : tx`coalesce(failing_since, now())`} where id = ${row.webhook_id}
        returning name, failing_since, enabled, coalesce(failing_since < now() - make_interval(secs => ${RETRIED_SECONDS}), false) as lasting`;
      const isGivenUp = error !== null && hook?.enabled === true && (status === GONE || (ms === null && hook.lasting));
      if (!isGivenUp) return;
      const reason =
        status === GONE
          ? 'It answered 410 Gone.'
          : `Every attempt has failed for more than a day. The last one: ${error}`;
      await tx`
        update freshet.webhooks set enabled = false, disabled_reason = ${reason}, version = version + 1, updated_at = now() where id = ${row.webhook_id}`;
      await emit(tx, this.#queue, 'webhook.disabled', { webhook_id: row.webhook_id, name: hook.name, reason });
    });
  }

  /** Events that are older, and their deliveries. */
  async deleteEvents(olderThanDays: number): Promise<number> {
    const deleted = await this
      .#sql`delete from freshet.events where at < now() - make_interval(days => ${olderThanDays})`;
    return deleted.count;
  }

  async #deliveriesWhere(where: SQL | undefined, limit: number): Promise<Delivery[]> {
    const rows = await this.#db
      .select({ delivery: webhookDeliveries, event_type: events.type })
      .from(webhookDeliveries)
      .innerJoin(events, eq(events.id, webhookDeliveries.event_id))
      .where(where)
      .orderBy(desc(webhookDeliveries.id))
      .limit(limit);
    return rows.map(({ delivery, event_type }) => ({ ...delivery, event_type }));
  }
}

/** How long a delivery is tried for, all its waiting times together, without their jitter. */
const RETRIED_SECONDS = RETRY_SECONDS.reduce((sum, s) => sum + s, 0);

/** As Standard Webhooks writes them: 24 to 64 random bytes. */
function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

function boundTo(id: string, column: 'secret' | 'previous_secret' | 'template_secret'): string {
  return `webhooks/${id}/${column}`;
}

function withoutSecrets({
  secret: _secret,
  previous_secret: _previous,
  template_secret: template,
  ...rest
}: typeof webhooks.$inferSelect): Webhook {
  return { ...rest, has_template_secret: template !== null };
}
