import type { EventType } from '@freshet/contracts';
import { boolean, index, integer, jsonb, text, uuid } from 'drizzle-orm/pg-core';
import { freshet, resourceColumns, time } from './columns.ts';

/** Webhooks: the subscribers to events. */
export const webhooks = freshet.table('webhooks', {
  ...resourceColumns,
  name: text('name').notNull().unique(),
  url: text('url').notNull(),
  events: text('events').array().$type<EventType[]>().notNull(),
  enabled: boolean('enabled').notNull(),
  /** Why Freshet disabled the webhook. Null: Freshet did not disable it. */
  disabled_reason: text('disabled_reason'),
  /** The sealed signing secret. */
  secret: text('secret').notNull(),
  /** The body to send instead of the event. Null: the event is sent. */
  template: jsonb('template').$type<Record<string, unknown>>(),
  /** The sealed value of `{{secret}}` in the template and in the URL. */
  template_secret: text('template_secret'),
  /** The sealed signing secret before the last rotation. */
  previous_secret: text('previous_secret'),
  /** The time until which messages are also signed with the previous secret. */
  previous_until: time('previous_until'),
  /** When the current series of failed attempts began. Null: the last attempt succeeded. */
  failing_since: time('failing_since'),
});

/** Events that at least one webhook subscribes to. */
export const events = freshet.table(
  'events',
  {
    id: uuid('id').primaryKey(),
    type: text('type').$type<EventType>().notNull(),
    at: time('at').notNull().defaultNow(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index('events_at_idx').on(t.at)],
);

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Deliveries of events to webhooks. */
export const webhookDeliveries = freshet.table(
  'webhook_deliveries',
  {
    id: uuid('id').primaryKey(),
    webhook_id: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    event_id: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    status: text('status').$type<DeliveryStatus>().notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    created_at: time('created_at').notNull().defaultNow(),
    last_attempt_at: time('last_attempt_at'),
    next_attempt_at: time('next_attempt_at'),
    /** Status code of the last attempt. Null: there was no response. */
    response_status: integer('response_status'),
    error: text('error'),
  },
  (t) => [
    index('webhook_deliveries_webhook_idx').on(t.webhook_id, t.id),
    index('webhook_deliveries_event_idx').on(t.event_id),
  ],
);
