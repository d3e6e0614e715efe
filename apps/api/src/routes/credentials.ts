import { AppError } from '@freshet/contracts';
import type { Credential as StoredCredential } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../app.ts';
import { Credential, CredentialChange, CredentialInput, CredentialList, IdParams, IfMatch, ListQuery, ref } from '../schemas.ts';
import { answer, expectedVersion, gone, listOptions, operation, problems, withEtag } from './route.ts';

const tags = ['credentials'];

export function credentialRoutes(app: App, { store }: Deps): void {
  app.post(
    '/v1/credentials',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'createCredential',
          tags,
          summary: 'Keep a secret',
          description: 'Encrypts the secret and keeps it. It is never sent back in any form.',
        }),
        body: ref(CredentialInput),
        response: { 201: answer('The credential.', Credential), ...problems(400, 401, 403, 409, 413, 415, 500) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const secret = body.type === 'freshdesk_api_key' ? body.api_key : body.password;
      const created = await store.credentials.create({ name: body.name, type: body.type, secret });
      return withEtag(reply, created.version).code(201).header('location', `/v1/credentials/${created.id}`).send(toJson(created));
    },
  );

  app.get(
    '/v1/credentials',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'listCredentials', tags, summary: 'List credentials', description: 'Newest first.' }),
        querystring: Type.Object(ListQuery),
        response: { 200: answer('One page.', CredentialList), ...problems(400, 401, 403, 500) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await store.credentials.list(listOptions(request.query));
      return { data: data.map(toJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/credentials/:id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'getCredential', tags, summary: 'Read a credential', description: 'Everything but the secret.' }),
        params: IdParams,
        response: { 200: answer('The credential.', Credential), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request, reply) => {
      const found = await store.credentials.get(request.params.id);
      return withEtag(reply, found.version).send(toJson(found));
    },
  );

  app.patch(
    '/v1/credentials/:id',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'changeCredential',
          tags,
          summary: 'Rename or rotate',
          description: 'A new secret is used from the next call on by everything that uses the credential.',
        }),
        params: IdParams,
        headers: IfMatch,
        body: ref(CredentialChange),
        response: { 200: answer('The credential.', Credential), ...problems(400, 401, 403, 404, 409, 412, 413, 415, 500) },
      },
    },
    async (request, reply) => {
      const { name, api_key, password } = request.body;
      const { type } = await store.credentials.get(request.params.id);
      const [right, wrong] = type === 'freshdesk_api_key' ? ['api_key', 'password'] : ['password', 'api_key'];
      if (wrong in request.body) {
        throw new AppError('invalid_input', `${wrong}: this credential is a ${type}; its secret is ${right}.`, { context: { pointer: `/${wrong}` } });
      }
      const changed = await store.credentials.change(request.params.id, { name, secret: api_key ?? password }, expectedVersion(request.headers));
      return withEtag(reply, changed.version).send(toJson(changed));
    },
  );

  app.delete(
    '/v1/credentials/:id',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'deleteCredential',
          tags,
          summary: 'Delete a credential',
          description: 'Refused while something uses it; the answer names what does.',
        }),
        params: IdParams,
        response: { 204: gone, ...problems(400, 401, 403, 404, 409, 500) },
      },
    },
    async (request, reply) => {
      await store.credentials.delete(request.params.id);
      return reply.code(204).send();
    },
  );
}

function toJson(c: StoredCredential) {
  return {
    id: c.id,
    name: c.name,
    type: c.type,
    hint: c.hint,
    rotated_at: c.rotated_at.toISOString(),
    created_at: c.created_at.toISOString(),
    updated_at: c.updated_at.toISOString(),
  };
}
