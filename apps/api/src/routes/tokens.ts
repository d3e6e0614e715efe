import { AppError } from '@freshet/contracts';
import type { Token as StoredToken, TokenRole } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../app.ts';
import { type Permission, ROLES } from '../permissions.ts';
import { IdParams, IfMatch, ref } from '../schemas/base.ts';
import { NewToken, Rotation, Token, TokenChange, TokenInput, TokenList, TokenRoleName } from '../schemas/tokens.ts';
import { resourceRoutes } from './resource.ts';
import { answer, bodyMayBeMissing, expectedVersion, operation, problems, withEtag } from './route.ts';

export function tokenRoutes(app: App, { store: { tokens } }: Deps): void {
  resourceRoutes<StoredToken>(app, {
    path: 'tokens',
    noun: 'Token',
    plural: 'Tokens',
    tag: 'tokens',
    read: 'manage_tokens',
    manage: 'manage_tokens',
    said: {
      create: ['Make a token', 'The answer holds the token itself: it is shown this once, and only its digest is kept.'],
      list: ['List tokens', 'Newest first. None of them shows the token itself.'],
      get: ['Read a token', 'Everything but the token itself.'],
      change: ['Change a token', 'Its name, role, scopes or expiry. Takes effect with the next request that it is used for.'],
      delete: ['Delete a token', 'It opens nothing any more, at once. The last token that can make others stays.'],
    },
    shapes: { input: TokenInput, change: TokenChange, made: NewToken, output: Token, list: TokenList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
      role: Type.Optional(Type.Unsafe<string>({ ...TokenRoleName, $id: undefined, description: 'Only those of this role.' })),
    },
    create: async ({ name, role, scopes = null, expires_at = null }: Static<typeof TokenInput>) => {
      const { token, text } = await tokens.create({ name, role, scopes: checkScopes(role, scopes), expires_at: checkExpiry(expires_at) });
      return { stored: token, shownOnce: { token: text } };
    },
    list: (options, filter) => tokens.list(options, filter),
    get: (id) => tokens.get(id),
    change: async (id, { expires_at, ...body }: Static<typeof TokenChange>, expected) => {
      const known = await tokens.get(id);
      const scopes = body.scopes === undefined ? known.scopes : body.scopes;
      checkScopes(body.role ?? known.role, scopes as Permission[] | null);
      return tokens.change(id, { ...body, ...(expires_at === undefined ? {} : { expires_at: checkExpiry(expires_at) }) }, expected);
    },
    delete: (id, expected) => tokens.delete(id, expected),
    toJson,
  });

  app.post(
    '/v1/tokens/:id/rotate',
    {
      config: { permission: 'manage_tokens', before: async ({ params }) => toJson(await tokens.get((params as { id: string }).id)) },
      preValidation: bodyMayBeMissing,
      schema: {
        ...operation({
          operationId: 'rotateToken',
          tags: ['tokens'],
          summary: 'Rotate a token',
          description: 'Answers with a new text of the same token. The old one opens beside it for the overlap, so that its users can be told.',
        }),
        params: IdParams,
        headers: IfMatch,
        body: ref(Rotation),
        response: { 200: answer('The token, with its new text.', NewToken), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { token, text } = await tokens.rotate(request.params.id, request.body.overlap_minutes ?? 60, expectedVersion(request.headers));
      withEtag(reply, token.version);
      return { ...toJson(token), token: text };
    },
  );
}

/** @throws AppError `invalid_input` for a scope that the role does not have: it would allow nothing. */
function checkScopes(role: TokenRole, scopes: readonly Permission[] | null): readonly Permission[] | null {
  const beyond = scopes?.find((scope) => !ROLES[role].includes(scope));
  if (beyond === undefined) return scopes;
  throw new AppError('invalid_input', `scopes: the role ${role} does not have "${beyond}". It has ${ROLES[role].join(', ')}.`, {
    context: { pointer: '/scopes' },
  });
}

function checkExpiry(text: string | null): Date | null {
  if (text === null) return null;
  const at = new Date(text);
  if (at.getTime() > Date.now()) return at;
  throw new AppError('invalid_input', 'expires_at: it is past already.', { context: { pointer: '/expires_at' } });
}

function toJson(t: StoredToken) {
  return {
    id: t.id,
    name: t.name,
    role: t.role,
    scopes: t.scopes as Permission[] | null,
    expires_at: t.expires_at?.toISOString() ?? null,
    last_used_at: t.last_used_at?.toISOString() ?? null,
    rotated_at: t.rotated_at.toISOString(),
    previous_until: t.previous_until?.toISOString() ?? null,
    created_at: t.created_at.toISOString(),
    updated_at: t.updated_at.toISOString(),
  };
}
