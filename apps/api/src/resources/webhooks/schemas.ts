import { EVENT_TYPES } from '@freshet/contracts';
import { DELIVERY_STATUSES } from '@freshet/control-store';
import { Type } from 'typebox';
import {
  count,
  defineSchema,
  enumeration,
  nullable,
  object,
  pageSchema,
  ref,
  resourceName,
  string,
  timestamp,
  timestamps,
  updateSchema,
  uuid,
} from '../../http/schemas.ts';

const EventType = enumeration('EventType', EVENT_TYPES, 'The type of an event.', 'run.failed');

const webhookFields = {
  name: resourceName('on-call'),
  url: string(
    'The URL to which Freshet sends events as `POST` requests, or `mailto:` followed by email addresses that are separated by commas. The URL may contain `{{secret}}`.',
    { minLength: 1, maxLength: 2000, examples: ['https://hooks.example.com/freshet', 'mailto:oncall@example.com'] },
  ),
  template: nullable(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'The JSON object to send instead of the event. Its strings may contain the variables `{{summary}}`, `{{type}}`, `{{severity}}` (`info`, `warning` or `error`), `{{id}}`, `{{timestamp}}`, `{{secret}}` and `{{data.…}}`. A string that consists only of `{{data}}` is replaced with the data of the event. Null: the event itself is sent.',
      examples: [{ text: '{{summary}}' }],
    }),
  ),
  events: Type.Array(ref(EventType), {
    minItems: 1,
    uniqueItems: true,
    description: 'The types of events to send.',
  }),
  enabled: Type.Boolean({ description: 'Whether events are sent.' }),
};

const templateSecret = nullable(
  string(
    'The value of `{{secret}}` in the template and the URL, such as a key of the receiver. The value is stored encrypted, and is never returned.',
    { minLength: 1, maxLength: 1000 },
  ),
);

export const WebhookInput = defineSchema(
  'WebhookInput',
  object(
    {
      ...webhookFields,
      enabled: Type.Optional({ ...webhookFields.enabled, default: true }),
      template: Type.Optional(webhookFields.template),
      template_secret: Type.Optional(templateSecret),
    },
    { description: 'The webhook to create.' },
  ),
);

const webhookProperties = {
  id: uuid('webhook', 'The id of the webhook.'),
  ...webhookFields,
  has_template_secret: Type.Boolean({
    description: 'Whether the webhook has a `template_secret`.',
    examples: [false],
  }),
  disabled_reason: nullable(string('Why Freshet disabled the webhook. Null: Freshet has not disabled the webhook.')),
  failing_since: nullable(
    timestamp(
      'Time since which every delivery attempt has failed. Null: the last attempt succeeded, or there has been no attempt since the webhook was created or enabled.',
    ),
  ),
  previous_until: nullable(
    timestamp(
      'End of the overlap, during which deliveries are also signed with the previous secret. Null: the secret was never rotated.',
    ),
  ),
  ...timestamps,
};

export const Webhook = defineSchema('Webhook', object(webhookProperties, { description: 'A receiver of events.' }));
export const WebhookUpdate = updateSchema(
  'WebhookUpdate',
  {
    name: Type.Optional(webhookFields.name),
    url: Type.Optional(webhookFields.url),
    events: Type.Optional(webhookFields.events),
    enabled: Type.Optional(webhookFields.enabled),
    template: Type.Optional(webhookFields.template),
    template_secret: Type.Optional(templateSecret),
  },
  Webhook,
  { description: 'The fields to update.' },
);
export const WebhookList = pageSchema('WebhookList', Webhook);

export const WebhookWithSecret = defineSchema(
  'WebhookWithSecret',
  object(
    {
      ...webhookProperties,
      secret: string(
        'The signing secret: `whsec_` followed by 32 random bytes in Base64. The secret is returned only once.',
        {
          examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
        },
      ),
    },
    { description: 'A webhook with its signing secret.' },
  ),
);

const DeliveryStatus = enumeration(
  'DeliveryStatus',
  DELIVERY_STATUSES,
  'The status of a delivery. `pending`: not delivered yet. `failed`: not delivered, and not retried anymore.',
  'delivered',
);

export const Delivery = defineSchema(
  'Delivery',
  object(
    {
      id: uuid('delivery', 'The id of the delivery.'),
      webhook_id: uuid('webhook', 'The webhook.'),
      event_id: uuid('event', 'The event. Receivers get this id in the header `webhook-id`.'),
      event_type: ref(EventType),
      status: ref(DeliveryStatus),
      attempts: count('The number of attempts so far.', 1),
      response_status: nullable(
        Type.Integer({
          description: 'The status code of the last response. Null: no response was received.',
          examples: [204],
        }),
      ),
      error: nullable(string('Why the last attempt failed. Null: the last attempt did not fail.')),
      created_at: timestamp('Time of creation.', '2026-01-31T13:44:02.180Z'),
      last_attempt_at: nullable(timestamp('Time of the last attempt.', '2026-01-31T13:44:02.530Z')),
      next_attempt_at: nullable(timestamp('Time of the next attempt. Null: no attempt is scheduled.')),
    },
    { description: 'The delivery of an event to a webhook.' },
  ),
);

export const DeliveryList = pageSchema('DeliveryList', Delivery);
