import { AppError } from '@freshet/contracts';
import type { TokenIdentity } from '@freshet/control-store';
import type { App, Deps } from '../../context.ts';
import { appendAuditEntry } from '../../http/audit.ts';
import { getBearerToken } from '../../http/auth.ts';
import { noContent, operation, problemResponses, response } from '../../http/operation.ts';
import { ref } from '../../http/schemas.ts';
import { Session, SessionInput, SignInCode } from './schemas.ts';

const tags = ['tokens'];

/** Registers the routes for sign-in codes and for the sessions of the console. */
export function registerSignInRoutes(app: App, deps: Deps): void {
  registerCreateCode(app, deps);
  registerCreateSession(app, deps);
  registerEndSession(app, deps);
}

function registerCreateCode(app: App, { store }: Deps): void {
  app.post(
    '/v1/sign-in-codes',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'createSignInCode',
          tags,
          summary: 'Create a sign-in code',
          description:
            'Creates a code for a link that signs a user in to the console. The code is valid for one sign-in within 10 minutes. The session has the permissions of the token of this request, and ends when this token expires, is rotated or is deleted. A session cannot create codes.',
        }),
        response: { 201: response('The code.', SignInCode) },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.identity as TokenIdentity;
      // Otherwise, a session could be extended without limit.
      if (sessionId !== null)
        throw new AppError(
          'permission_denied',
          'A session cannot create sign-in codes. Send this request with an API token.',
        );
      const { value, expiresAt } = await store.signIns.createCode(getBearerToken(request) ?? '');
      reply.code(201);
      return { code: value, expires_at: expiresAt.toISOString() };
    },
  );
}

/** A public route: the code authenticates the request. */
function registerCreateSession(app: App, { store }: Deps): void {
  app.post(
    '/v1/sessions',
    {
      schema: {
        ...operation({
          operationId: 'createSession',
          tags,
          summary: 'Exchange a sign-in code for a session',
          description:
            'Exchanges a sign-in code for a session. The request requires no token. If the code was already used or has expired, the request is rejected with 401.',
        }),
        security: [],
        body: ref(SessionInput),
        response: {
          201: response('The session.', Session),
          ...problemResponses(400, 401, 413, 415, 429, 500),
        },
      },
    },
    (request, reply) =>
      store.transaction(async () => {
        const { identity, value, expiresAt } = await store.signIns.exchange(request.body.code);
        request.identity = identity;
        reply.code(201).header('cache-control', 'no-store');
        const payload = { token: value, expires_at: expiresAt.toISOString() };
        await appendAuditEntry(store, request, reply, { before: null, payload });
        return payload;
      }),
  );
}

function registerEndSession(app: App, { store }: Deps): void {
  app.delete(
    '/v1/sessions/current',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'endSession',
          tags,
          summary: 'End the session',
          description:
            'Ends the session of the request. If the request contains an API token instead of a session, nothing changes.',
        }),
        response: { 204: noContent },
      },
    },
    async ({ identity }, reply) => {
      const { sessionId } = identity as TokenIdentity;
      if (sessionId !== null) await store.signIns.endSession(sessionId);
      reply.code(204);
    },
  );
}
