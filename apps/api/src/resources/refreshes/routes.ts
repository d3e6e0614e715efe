import { AppError } from '@freshet/contracts';
import type { Pipeline, RefreshRequest } from '@freshet/control-store';
import { catalogue, getObject, listObjectsToExtract, type ObjectSpec } from '@freshet/freshdesk-extractor';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { toRunJson } from '../runs/json.ts';
import { Run } from '../runs/schemas.ts';
import { FreshdeskWebhookPayload } from './schemas.ts';

/**
 * Registers the routes that refresh single records between syncs: one for API clients, and one for
 * Freshdesk webhooks.
 */
export function registerRefreshRoutes(app: App, deps: Deps): void {
  registerRefreshRecord(app, deps);
  registerReceiveFreshdeskWebhook(app, deps);
}

function registerRefreshRecord(app: App, deps: Deps): void {
  const { store } = deps;
  app.post(
    '/v1/pipelines/:id/objects/:object/records/:record_id/refresh',
    {
      config: { permission: 'refresh' },
      schema: {
        ...operation({
          operationId: 'refreshRecord',
          tags: ['pipelines'],
          summary: 'Refresh a record',
          description:
            'Extracts a record and its children, such as the conversations of a ticket, immediately and ahead of all other work. A refresh costs one credit for the record, and one credit for each list of children. A record that does not exist anymore is marked as deleted. If a refresh run of the pipeline is already active, the record is added to that run. The request is rejected with 409 if the pipeline does not include the object, or if Freshdesk cannot return single records of the object.',
        }),
        params: Type.Object({
          id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
          object: Type.String({ description: 'The name of the object.' }),
          record_id: Type.String({
            pattern: '^[0-9A-Za-z_-]{1,64}$',
            description: 'The id of the record in Freshdesk.',
            examples: ['4711'],
          }),
        }),
        response: { 202: response('The refresh run.', Run), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      const { id, object, record_id } = request.params;
      const { name } = getObject(object);
      const run = await startRefresh(deps, await store.pipelines.get(id), name, record_id);
      reply.code(202).header('location', `/v1/runs/${run.id}`);
      return run;
    },
  );
}

function registerReceiveFreshdeskWebhook(app: App, deps: Deps): void {
  const { store } = deps;
  app.post(
    '/v1/pipelines/:id/inbound/freshdesk',
    {
      config: { permission: 'refresh' },
      schema: {
        ...operation({
          operationId: 'receiveFreshdeskWebhook',
          tags: ['pipelines'],
          summary: 'Receive a Freshdesk automation webhook',
          description:
            'Refreshes the ticket whose id a Freshdesk automation rule sends. In the rule, add the action “Trigger webhook” with the URL of this operation and the content `{"ticket_id": "{{ticket.id}}"}`. Add the header `Authorization` with a token whose only scope is `refresh`. Syncs are still necessary, because they extract the changes that no rule covers.',
        }),
        params: IdParams,
        body: ref(FreshdeskWebhookPayload),
        response: { 202: response('The refresh run.', Run), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      const { name, webhookKey } = catalogue.find((object) => object.webhookKey !== null) as ObjectSpec;
      const key = parseRecordId(request.body, webhookKey as string);
      const run = await startRefresh(deps, await store.pipelines.get(request.params.id), name, key);
      reply.code(202).header('location', `/v1/runs/${run.id}`);
      return run;
    },
  );
}

/**
 * Parses the id of a record from a payload. Unless the rule defines the content of the payload,
 * Freshdesk wraps the id in the JSON object `freshdesk_webhook`.
 * @throws AppError `invalid_input`.
 */
function parseRecordId(payload: Static<typeof FreshdeskWebhookPayload>, field: string): string {
  const properties = payload.freshdesk_webhook ?? payload;
  const id = properties[field as keyof typeof properties];
  const createError = (message: string) =>
    new AppError('invalid_input', message, { context: { pointer: `/${field}` } });
  if (typeof id === 'number' && !Number.isSafeInteger(id))
    throw createError(
      `${field} must be a string: JSON numbers above 2^53 lose digits. Send "{{ticket.id}}" in quotes.`,
    );
  const key = String(id ?? '');
  if (!/^\d{1,19}$/.test(key))
    throw createError(`${field} must be the id of a ticket. In an automation rule, use {{ticket.id}}.`);
  return key;
}

/**
 * Starts a refresh run for one record, or adds the record to the active refresh run. Returns the
 * run.
 */
async function startRefresh(deps: Deps, pipeline: Pipeline, object: string, key: string) {
  const { store } = deps;
  const id = await store.refreshes.request(pipeline.id, listWorkItems(pipeline, object, key));
  return toRunJson(await store.runs.get(id), deps);
}

/**
 * Lists the work of a refresh: the record, and its children in each included child object.
 * @throws AppError `conflict` if the pipeline does not include the object, or if Freshdesk cannot
 * return single records of the object.
 */
function listWorkItems(pipeline: Pipeline, object: string, key: string): RefreshRequest[] {
  const included = listObjectsToExtract(pipeline.objects).map(({ name }) => name);
  if (!included.includes(object))
    throw new AppError('conflict', `The pipeline does not include ${object}. Include the object first.`);
  if (getObject(object).detail === null)
    throw new AppError(
      'conflict',
      `Freshdesk cannot return single records of ${object}. Refresh the parent record instead, or start a run of the pipeline.`,
    );
  const children = included.filter((name) => {
    const { strategy } = getObject(name);
    return strategy.kind === 'children' && strategy.parent === object;
  });
  return [
    { object, key, kind: 'record' },
    ...children.map((name): RefreshRequest => ({ object: name, key, kind: 'parent' })),
  ];
}
