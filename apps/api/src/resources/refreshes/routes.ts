import { AppError } from '@freshet/contracts';
import type { Pipeline, Wanted } from '@freshet/control-store';
import { catalogue, type ObjectSpec, objectNamed, objectsToRead } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, operation, problems } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { runJson } from '../runs/routes.ts';
import { FreshdeskCall, Run } from '../runs/schemas.ts';

/** Records near real time, one at a time: as somebody asks for them, or as Freshdesk itself says that they have changed. */
export function refreshRoutes(app: App, { store }: Deps): void {
  const refresh = async (pipeline: Pipeline, object: string, key: string) => {
    const id = await store.refreshes.request(pipeline.id, wanted(pipeline, object, key));
    return runJson(await store.runs.get(id));
  };

  app.post(
    '/v1/pipelines/:id/objects/:object/records/:record_id/refresh',
    {
      config: { permission: 'refresh' },
      schema: {
        ...operation({
          operationId: 'refreshRecord',
          tags: ['pipelines'],
          summary: 'Read one record anew',
          description:
            'Now, before everything else, with what stands below it: a ticket with its conversations. Costs a credit for the record and one for each list below it. A record that is gone is marked as deleted. What is asked for while such a run is under way is taken in by it.',
        }),
        params: Type.Object({
          id: Type.String({ format: 'uuid', description: 'The pipeline’s id.' }),
          object: Type.String({ description: 'The object’s name.' }),
          record_id: Type.String({
            pattern: '^[0-9A-Za-z_-]{1,64}$',
            description: 'The record’s own id, as Freshdesk has it.',
            examples: ['4711'],
          }),
        }),
        response: { 202: answer('The run that reads it.', Run), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id, object, record_id } = request.params;
      const { name } = objectNamed(object);
      const run = await refresh(await store.pipelines.get(id), name, record_id);
      reply.code(202).header('location', `/v1/runs/${run.id}`);
      return run;
    },
  );

  app.post(
    '/v1/pipelines/:id/inbound/freshdesk',
    {
      config: { permission: 'refresh' },
      schema: {
        ...operation({
          operationId: 'receiveFromFreshdesk',
          tags: ['pipelines'],
          summary: 'Be told by Freshdesk that a ticket has changed',
          description:
            'For the action “trigger webhook” of an automation rule, with a token that has the scope `refresh` only in the header `Authorization`, and `{"ticket_id": "{{ticket.id}}"}` as content. The ticket is read at once, with what stands below it. It saves no sync: what a rule does not see, the next sync brings.',
        }),
        params: IdParams,
        body: ref(FreshdeskCall),
        response: { 202: answer('The run that reads it.', Run), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { body, params } = request;
      const pushed = catalogue.find((o) => o.pushedAs !== null) as ObjectSpec;
      // As one writes it oneself, or as Freshdesk's form wraps it.
      const given = body.freshdesk_webhook ?? body;
      const field = pushed.pushedAs as keyof typeof given;
      const number = given[field];
      if (typeof number === 'number' && !Number.isSafeInteger(number)) {
        throw new AppError(
          'invalid_input',
          `${field} must be a string: JSON numbers beyond 2^53 lose digits. Send "{{ticket.id}}" with quotes.`,
          {
            context: { pointer: `/${field}` },
          },
        );
      }
      const key = String(number ?? '');
      if (!/^\d{1,19}$/.test(key)) {
        throw new AppError(
          'invalid_input',
          `${field}: must be its number. In an automation rule, {{ticket.id}} stands for it.`,
          {
            context: { pointer: `/${field}` },
          },
        );
      }
      const run = await refresh(await store.pipelines.get(params.id), pushed.name, key);
      reply.code(202).header('location', `/v1/runs/${run.id}`);
      return run;
    },
  );
}

/** The record, and the lists below it that the pipeline reads. @throws AppError `invalid_input`, `conflict` for an object that cannot be asked for by its records. */
function wanted(pipeline: Pipeline, object: string, key: string): Wanted[] {
  const included = objectsToRead(pipeline.objects).map(({ name }) => name);
  if (!included.includes(object))
    throw new AppError('conflict', `${object} is not read by this pipeline: include it first.`);
  if (objectNamed(object).single === null) {
    throw new AppError(
      'conflict',
      `${object}: its records have no address of their own in Freshdesk. Refresh what they belong to, or run the pipeline.`,
    );
  }
  const below = included.filter((name) => {
    const { way } = objectNamed(name);
    return way.kind === 'children' && way.parent === object;
  });
  return [{ object, key, as: 'record' }, ...below.map((name): Wanted => ({ object: name, key, as: 'parent' }))];
}
