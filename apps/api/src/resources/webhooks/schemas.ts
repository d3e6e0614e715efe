import { EVENT_TYPES } from '@freshet/contracts';
import { DELIVERY_STATUSES } from '@freshet/control-store';
import { Type } from 'typebox';
import {
  change,
  count,
  enumeration,
  id,
  list,
  name,
  nullable,
  object,
  ref,
  resourceName,
  stamps,
  text,
  time,
} from '../../http/schemas.ts';

const EventName = enumeration('EventType', EVENT_TYPES, 'What has happened.');

const webhookFields = {
  name: resourceName,
  url: text(
    'Where events are posted to, or `mailto:` and the addresses, with commas between them, that get them as mail. May hold `{{secret}}`.',
    {
      minLength: 1,
      maxLength: 2000,
      examples: ['https://hooks.example.com/freshet', 'mailto:oncall@example.com'],
    },
  ),
  template: nullable(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'What is posted instead of the event: a JSON object, in whose texts `{{summary}}`, `{{type}}`, `{{severity}}` (`info`, `warning`, `error`), `{{id}}`, `{{timestamp}}`, `{{secret}}` and `{{data.…}}` stand for what they name, and `{{data}}` alone for all of the data. Null: the event itself.',
      examples: [{ text: '{{summary}}' }],
    }),
  ),
  events: Type.Array(ref(EventName), { minItems: 1, uniqueItems: true, description: 'What it is told of.' }),
  enabled: Type.Boolean({ description: 'Whether events are sent to it.' }),
};

const templateSecret = nullable(
  text(
    'What `{{secret}}` stands for in the template and the URL: a key of the receiver’s. Kept encrypted, and never shown again.',
    {
      minLength: 1,
      maxLength: 1000,
    },
  ),
);

export const WebhookInput = name(
  'WebhookInput',
  object(
    {
      ...webhookFields,
      enabled: Type.Optional({ ...webhookFields.enabled, default: true }),
      template: Type.Optional(webhookFields.template),
      template_secret: Type.Optional(templateSecret),
    },
    { description: 'A webhook to make.' },
  ),
);

const webhookShown = {
  id: id('The webhook'),
  ...webhookFields,
  has_template_secret: Type.Boolean({ description: 'Whether a `template_secret` is kept.' }),
  disabled_reason: nullable(text('Why Freshet has disabled it; null: it has not.')),
  failing_since: nullable(time('Nothing has been taken since then; null: the last delivery was.')),
  previous_until: nullable(time('The secret before the last rotation signs until then; null: it was not rotated.')),
  ...stamps,
};

export const Webhook = name(
  'Webhook',
  object(webhookShown, { description: 'Who is told of events. Its signing secret is never shown again.' }),
);
export const WebhookChange = change(
  'WebhookChange',
  {
    name: Type.Optional(webhookFields.name),
    url: Type.Optional(webhookFields.url),
    events: Type.Optional(webhookFields.events),
    enabled: Type.Optional(webhookFields.enabled),
    template: Type.Optional(webhookFields.template),
    template_secret: Type.Optional(templateSecret),
  },
  Webhook,
  { description: 'Fields to change.' },
);
export const WebhookList = list('WebhookList', Webhook);

export const NewWebhook = name(
  'NewWebhook',
  object(
    { ...webhookShown, secret: text('The signing secret, shown this once: `whsec_` and the base64 of 32 bytes.') },
    { description: 'A webhook with its signing secret.' },
  ),
);

const DeliveryState = enumeration(
  'DeliveryStatus',
  DELIVERY_STATUSES,
  '`pending`: not taken yet, and tried again. `failed`: given up.',
);

export const Delivery = name(
  'Delivery',
  object(
    {
      id: id('The delivery'),
      webhook_id: id('Its webhook'),
      event_id: id('The event, and the `webhook-id` that receivers see'),
      event_type: ref(EventName),
      status: ref(DeliveryState),
      attempts: count('Attempts so far.'),
      response_status: nullable(
        Type.Integer({ description: 'The HTTP status of the last answer; null: there was none.' }),
      ),
      error: nullable(text('Why the last attempt failed; null: it did not.')),
      created_at: time('When it was made.'),
      last_attempt_at: nullable(time('When it was last tried.')),
      next_attempt_at: nullable(time('When it is tried next; null: it is over.')),
    },
    { description: 'One event for one webhook.' },
  ),
);

export const DeliveryList = list('DeliveryList', Delivery);
