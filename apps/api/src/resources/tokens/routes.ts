import type { Token as StoredToken } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import type { FieldProblem } from '../../http/field-problems.ts';
import { answer, expectedVersion, operation, problems, withEtag } from '../../http/operation.ts';
import { type Permission, ROLES } from '../../http/permissions.ts';
import { resourceRoutes } from '../../http/resource-routes.ts';
import { IdParams, IfMatch, ref } from '../../http/schemas.ts';
import { NewToken, Rotation, Token, TokenChange, TokenInput, TokenList, TokenRoleName } from './schemas.ts';

export function tokenRoutes(app: App, { store: { tokens } }: Deps): void {
  resourceRoutes<StoredToken>(app, {
    path: 'tokens',
    noun: 'Token',
    plural: 'Tokens',
    tag: 'tokens',
    read: 'manage_tokens',
    manage: 'manage_tokens',
    said: {
      create: [
        'Make a token',
        'The answer holds the token itself: it is shown this once, and only its digest is kept.',
      ],
      list: ['List tokens', 'Newest first. None of them shows the token itself.'],
      get: ['Read a token', 'Everything but the token itself.'],
      change: [
        'Change a token',
        'Its name, role, scopes or expiry. Takes effect with the next request that it is used for.',
      ],
      delete: ['Delete a token', 'It opens nothing any more, at once. The last token that can make others stays.'],
    },
    shapes: { input: TokenInput, change: TokenChange, made: NewToken, output: Token, list: TokenList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
      role: Type.Optional(
        Type.Unsafe<string>({ ...TokenRoleName, $id: undefined, description: 'Only those of this role.' }),
      ),
    },
    create: async ({ name, role, scopes = null, expires_at = null }: Static<typeof TokenInput>) => {
      const { token, text } = await tokens.create({
        name,
        role,
        scopes,
        expires_at: expires_at === null ? null : new Date(expires_at),
      });
      return { stored: token, shownOnce: { token: text } };
    },
    list: (options, filter) => tokens.list(options, filter),
    get: (id) => tokens.get(id),
    findProblems: (input: Static<typeof TokenChange>, current) => [
      ...findScopeProblems(input, current),
      ...(typeof input.expires_at === 'string' && Date.parse(input.expires_at) <= Date.now()
        ? [{ pointer: '/expires_at', detail: 'expires_at must be in the future.' }]
        : []),
    ],
    change: (id, { expires_at, ...body }: Static<typeof TokenChange>, expected) => {
      const expiry = expires_at === undefined ? {} : { expires_at: expires_at === null ? null : new Date(expires_at) };
      return tokens.change(id, { ...body, ...expiry }, expected);
    },
    delete: (id, expected) => tokens.delete(id, expected),
    toJson,
  });

  app.post(
    '/v1/tokens/:id/rotate',
    {
      config: {
        permission: 'manage_tokens',
        before: async ({ params }) => toJson(await tokens.get((params as { id: string }).id)),
      },
      schema: {
        ...operation({
          operationId: 'rotateToken',
          tags: ['tokens'],
          summary: 'Rotate a token',
          description:
            'Answers with a new text of the same token. The old one opens beside it for the overlap, so that its users can be told.',
        }),
        params: IdParams,
        headers: IfMatch,
        body: ref(Rotation),
        response: { 200: answer('The token, with its new text.', NewToken), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { token, text } = await tokens.rotate(
        request.params.id,
        request.body.overlap_minutes ?? 60,
        expectedVersion(request.headers),
      );
      withEtag(reply, token.version);
      return { ...toJson(token), token: text };
    },
  );
}

/** A scope that the role does not have would permit nothing. */
function findScopeProblems(input: Static<typeof TokenChange>, current: StoredToken | null): FieldProblem[] {
  const role = input.role ?? current?.role;
  const scopes = input.scopes === undefined ? (current?.scopes ?? null) : input.scopes;
  // A token that has more scopes than its role is left as it is, as long as neither changes.
  if (role === undefined || scopes === null || (input.role === undefined && input.scopes === undefined)) return [];
  const beyond = scopes.filter((scope) => !ROLES[role].includes(scope as Permission));
  if (beyond.length === 0) return [];
  const names = beyond.map((scope) => `"${scope}"`).join(', ');
  return [
    {
      pointer: '/scopes',
      detail: `scopes: the role ${role} does not have ${names}. It has ${ROLES[role].join(', ')}.`,
    },
  ];
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
