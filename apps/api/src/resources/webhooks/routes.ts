import { AppError, parseHost, toAppError } from '@freshet/contracts';
import {
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type Delivery as StoredDelivery,
  type Webhook as StoredWebhook,
} from '@freshet/control-store';
import type { Outbound } from '@freshet/runtime';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { problemsFrom } from '../../http/field-problems.ts';
import { answer, expectedVersion, listOptions, operation, problems, withEtag } from '../../http/operation.ts';
import { resourceRoutes } from '../../http/resource-routes.ts';
import { IdParams, IfMatch, ListQuery, ref } from '../../http/schemas.ts';
import { Rotation } from '../tokens/schemas.ts';
import { Delivery, DeliveryList, NewWebhook, Webhook, WebhookChange, WebhookInput, WebhookList } from './schemas.ts';

const tags = ['webhooks'];

export function webhookRoutes(app: App, { store: { webhooks }, reach }: Deps): void {
  resourceRoutes<StoredWebhook>(app, {
    path: 'webhooks',
    noun: 'Webhook',
    plural: 'Webhooks',
    tag: 'webhooks',
    read: 'manage_webhooks',
    manage: 'manage_webhooks',
    said: {
      create: [
        'Make a webhook',
        'Events are posted to its URL, signed as https://www.standardwebhooks.com says. The answer holds the signing secret: it is shown this once.',
      ],
      list: ['List webhooks', 'Newest first.'],
      get: ['Read a webhook', 'Everything but its signing secret.'],
      change: [
        'Change a webhook',
        'Deliveries that wait go to the new URL. Enabling one that was disabled begins anew.',
      ],
      delete: ['Delete a webhook', 'With its log of deliveries. What waits is not delivered.'],
    },
    shapes: { input: WebhookInput, change: WebhookChange, made: NewWebhook, output: Webhook, list: WebhookList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
    },
    create: async ({
      name,
      url,
      events,
      enabled = true,
      template = null,
      template_secret = null,
    }: Static<typeof WebhookInput>) => {
      const { webhook, secret } = await webhooks.create({ name, url, events, enabled, template, template_secret });
      return { stored: webhook, shownOnce: { secret } };
    },
    list: (options, filter) => webhooks.list(options, filter),
    get: (id) => webhooks.get(id),
    findProblems: ({ url }: Static<typeof WebhookChange>) =>
      url === undefined ? [] : problemsFrom('/url', () => checkUrl(reach, url)),
    change: (id, body: Static<typeof WebhookChange>, expected) => webhooks.change(id, body, expected),
    delete: (id, expected) => webhooks.delete(id, expected),
    toJson,
  });

  app.post(
    '/v1/webhooks/:id/rotate',
    {
      config: {
        permission: 'manage_webhooks',
        before: async ({ params }) => toJson(await webhooks.get((params as { id: string }).id)),
      },
      schema: {
        ...operation({
          operationId: 'rotateWebhookSecret',
          tags,
          summary: 'Rotate a webhook’s signing secret',
          description: 'Answers with a new secret. Until the overlap is over, deliveries carry a signature of each.',
        }),
        params: IdParams,
        headers: IfMatch,
        body: ref(Rotation),
        response: { 200: answer('The webhook, with its new secret.', NewWebhook), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { webhook, secret } = await webhooks.rotate(
        request.params.id,
        request.body.overlap_minutes ?? 60,
        expectedVersion(request.headers),
      );
      withEtag(reply, webhook.version);
      return { ...toJson(webhook), secret };
    },
  );

  app.post(
    '/v1/webhooks/:id/test',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'testWebhook',
          tags,
          summary: 'Try a webhook',
          description: 'Sends it an event of the type `webhook.test`, once. Its delivery tells how that went.',
        }),
        params: IdParams,
        response: { 202: answer('The delivery.', Delivery), ...problems(404) },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return deliveryJson(await webhooks.test(request.params.id));
    },
  );

  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'listWebhookDeliveries',
          tags,
          summary: 'List deliveries',
          description: 'What was sent to a webhook, newest first, kept for 30 days.',
        }),
        params: IdParams,
        querystring: Type.Object({
          ...ListQuery,
          status: Type.Optional(
            Type.Unsafe<DeliveryStatus>({
              type: 'string',
              enum: [...DELIVERY_STATUSES],
              description: 'Only deliveries in this state.',
            }),
          ),
        }),
        response: { 200: answer('One page.', DeliveryList), ...problems(404) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await webhooks.deliveries(request.params.id, listOptions(request.query), {
        status: request.query.status,
      });
      return { data: data.map(deliveryJson), next_cursor: nextCursor };
    },
  );

  app.post(
    '/v1/webhooks/:id/deliveries/:delivery_id/redeliver',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'redeliver',
          tags,
          summary: 'Deliver once more',
          description:
            'Sends the event of a delivery again, with the same message id, by which receivers can tell that it is the same.',
        }),
        params: Type.Object({
          id: Type.String({ format: 'uuid', description: 'The webhook’s id.' }),
          delivery_id: Type.String({ format: 'uuid', description: 'The delivery’s id.' }),
        }),
        response: { 202: answer('The new delivery.', Delivery), ...problems(404) },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return deliveryJson(await webhooks.redeliver(request.params.id, request.params.delivery_id));
    },
  );
}

/** @throws AppError `invalid_input` for what is no address of the web, or one that may not be connected to. Names are looked up when they are used. */
function checkUrl(reach: Outbound, text: string): void {
  const refuse = (why: string) => {
    throw new AppError('invalid_input', `url: ${why}`);
  };
  if (text.startsWith('mailto:')) {
    if (!isMailTo(text))
      refuse('after mailto: stand addresses as they are, with commas between them, and nothing else.');
    return;
  }
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return refuse('it must be a URL that begins with https:// (or http://), or mailto: and addresses.');
  if (url.username !== '' || url.password !== '')
    return refuse('it may hold no user and password: deliveries are signed instead.');
  try {
    parseHost(url.hostname.replaceAll('{{secret}}', 'secret'));
    reach.check(url.hostname);
  } catch (error) {
    return refuse(toAppError(error).message);
  }
}

/** Addresses as everybody writes them: https://html.spec.whatwg.org/#valid-e-mail-address, without the odd ones. */
const ADDRESS = /^[A-Za-z0-9.!#$&'*+/=^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/;

function isMailTo(text: string): boolean {
  return text
    .slice('mailto:'.length)
    .split(',')
    .every((address) => ADDRESS.test(address));
}

function toJson(w: StoredWebhook) {
  return {
    id: w.id,
    name: w.name,
    url: w.url,
    events: w.events,
    template: w.template,
    has_template_secret: w.has_template_secret,
    enabled: w.enabled,
    disabled_reason: w.disabled_reason,
    failing_since: w.failing_since?.toISOString() ?? null,
    previous_until: w.previous_until?.toISOString() ?? null,
    created_at: w.created_at.toISOString(),
    updated_at: w.updated_at.toISOString(),
  };
}

function deliveryJson(d: StoredDelivery) {
  return {
    id: d.id,
    webhook_id: d.webhook_id,
    event_id: d.event_id,
    event_type: d.event_type,
    status: d.status,
    attempts: d.attempts,
    response_status: d.response_status,
    error: d.error,
    created_at: d.created_at.toISOString(),
    last_attempt_at: d.last_attempt_at?.toISOString() ?? null,
    next_attempt_at: d.next_attempt_at?.toISOString() ?? null,
  };
}
