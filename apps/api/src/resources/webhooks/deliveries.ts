import { DELIVERY_STATUSES, type DeliveryStatus } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ListQuery } from '../../http/schemas.ts';
import { toDeliveryJson } from './json.ts';
import { Delivery, DeliveryList } from './schemas.ts';

const tags = ['webhooks'];

/** Registers the routes of the deliveries of a webhook, and the route that sends a test event. */
export function registerDeliveryRoutes(app: App, deps: Deps): void {
  registerTestWebhook(app, deps);
  registerListWebhookDeliveries(app, deps);
  registerRedeliverWebhookEvent(app, deps);
}

function registerListWebhookDeliveries(app: App, { store: { webhooks } }: Deps): void {
  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'listWebhookDeliveries',
          tags,
          summary: 'List the deliveries of a webhook',
          description: 'Lists the deliveries of the last 30 days, newest first.',
        }),
        params: IdParams,
        querystring: Type.Object({
          ...ListQuery,
          status: Type.Optional(
            Type.Unsafe<DeliveryStatus>({
              type: 'string',
              enum: [...DELIVERY_STATUSES],
              description: 'Return only deliveries with this status.',
            }),
          ),
        }),
        response: { 200: response('A page of the list.', DeliveryList), ...problemResponses(404) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await webhooks.listDeliveries(request.params.id, parseListQuery(request.query), {
        status: request.query.status,
      });
      return { data: data.map(toDeliveryJson), next_cursor: nextCursor };
    },
  );
}

function registerRedeliverWebhookEvent(app: App, { store: { webhooks } }: Deps): void {
  app.post(
    '/v1/webhooks/:id/deliveries/:delivery_id/redeliver',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'redeliverWebhookEvent',
          tags,
          summary: 'Redeliver an event',
          description:
            'Sends the event of a delivery again, as a new delivery with the same `webhook-id`. Receivers can use the `webhook-id` to detect duplicates.',
        }),
        params: Type.Object({
          id: Type.String({ format: 'uuid', description: 'The id of the webhook.' }),
          delivery_id: Type.String({ format: 'uuid', description: 'The id of the delivery.' }),
        }),
        response: { 202: response('The new delivery.', Delivery), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return toDeliveryJson(await webhooks.redeliver(request.params.id, request.params.delivery_id));
    },
  );
}

function registerTestWebhook(app: App, { store: { webhooks } }: Deps): void {
  app.post(
    '/v1/webhooks/:id/test',
    {
      config: { permission: 'manage_webhooks' },
      schema: {
        ...operation({
          operationId: 'testWebhook',
          tags,
          summary: 'Test a webhook',
          description:
            'Sends an event of the type `webhook.test`, even if the webhook is disabled. A failed test is not retried. To get the result, list the deliveries of the webhook.',
        }),
        params: IdParams,
        response: { 202: response('The delivery.', Delivery), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      reply.code(202);
      return toDeliveryJson(await webhooks.sendTestEvent(request.params.id));
    },
  );
}
