import type { Webhook as StoredWebhook } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { catchFieldProblems } from '../../http/field-problems.ts';
import { type ResourceDefinition, registerResourceRoutes } from '../../http/resource-routes.ts';
import { registerRotationRoute } from '../../http/rotation-route.ts';
import { registerDeliveryRoutes } from './deliveries.ts';
import { toWebhookJson } from './json.ts';
import { Webhook, WebhookInput, WebhookList, WebhookUpdate, WebhookWithSecret } from './schemas.ts';
import { checkWebhookUrl } from './validation.ts';

const SUMMARIES: ResourceDefinition<StoredWebhook>['summaries'] = {
  create: [
    'Create a webhook',
    'Creates a webhook. Events are sent to its URL and signed according to the [Standard Webhooks](https://www.standardwebhooks.com) specification. The response contains the signing secret, which is not returned again.',
  ],
  list: ['List webhooks', 'Lists webhooks, newest first.'],
  get: ['Get a webhook', 'Returns a webhook without its secrets.'],
  update: [
    'Update a webhook',
    'Updates a webhook. Pending deliveries are sent to the new URL. Enabling a webhook clears `disabled_reason` and `failing_since`.',
  ],
  delete: ['Delete a webhook', 'Deletes a webhook and its deliveries. Pending deliveries are not sent.'],
};

export function registerWebhookRoutes(app: App, deps: Deps): void {
  const {
    store: { webhooks },
    outboundPolicy,
  } = deps;
  registerResourceRoutes<StoredWebhook>(app, {
    path: 'webhooks',
    noun: 'Webhook',
    plural: 'Webhooks',
    tag: 'webhooks',
    readPermission: 'manage_webhooks',
    managePermission: 'manage_webhooks',
    summaries: SUMMARIES,
    schemas: {
      input: WebhookInput,
      update: WebhookUpdate,
      created: WebhookWithSecret,
      output: Webhook,
      list: WebhookList,
    },
    filters: {
      name: Type.Optional(Type.String({ description: 'Return only the webhook with this name.' })),
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
      return { stored: webhook, oneTimeFields: { secret } };
    },
    list: (options, filter) => webhooks.list(options, filter),
    get: (id) => webhooks.get(id),
    findProblems: ({ url }: Static<typeof WebhookUpdate>) =>
      url === undefined ? [] : catchFieldProblems('/url', () => checkWebhookUrl(outboundPolicy, url)),
    update: (id, body: Static<typeof WebhookUpdate>, expectedVersion) => webhooks.update(id, body, expectedVersion),
    delete: (id, expectedVersion) => webhooks.delete(id, expectedVersion),
    toJson: toWebhookJson,
  });

  registerRotateWebhookSecret(app, deps);
  registerDeliveryRoutes(app, deps);
}

function registerRotateWebhookSecret(app: App, { store: { webhooks } }: Deps): void {
  registerRotationRoute<StoredWebhook>(app, {
    path: 'webhooks',
    tag: 'webhooks',
    permission: 'manage_webhooks',
    operation: {
      operationId: 'rotateWebhookSecret',
      summary: 'Rotate the signing secret of a webhook',
      description:
        'Generates a new signing secret and returns it. During the overlap (one hour by default), each delivery is signed with both the new and the previous secret.',
    },
    schema: WebhookWithSecret,
    get: (id) => webhooks.get(id),
    rotate: async (id, overlapMinutes, expectedVersion) => {
      const { webhook, secret } = await webhooks.rotate(id, overlapMinutes, expectedVersion);
      return { stored: webhook, oneTimeFields: { secret } };
    },
    toJson: toWebhookJson,
  });
}
