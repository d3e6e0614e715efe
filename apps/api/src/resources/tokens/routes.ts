import type { Token as StoredToken } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, response } from '../../http/operation.ts';
import { hasPermission, PERMISSION_NAMES } from '../../http/permissions.ts';
import { type ResourceDefinition, registerResourceRoutes } from '../../http/resource-routes.ts';
import { registerRotationRoute } from '../../http/rotation-route.ts';
import { toTokenJson } from './json.ts';
import { CurrentToken, Token, TokenInput, TokenList, TokenRole, TokenUpdate, TokenWithSecret } from './schemas.ts';
import { findScopeProblems } from './validation.ts';

const SUMMARIES: ResourceDefinition<StoredToken>['summaries'] = {
  create: [
    'Create a token',
    'Creates an API token. The response contains the value of the token. The value is not returned again, because Freshet stores only a hash of the value.',
  ],
  list: ['List tokens', 'Lists tokens, newest first, without their values.'],
  get: ['Get a token', 'Returns a token without its value.'],
  update: [
    'Update a token',
    'Updates the name, role, scopes or expiry of a token. Changes take effect with the next request that uses the token.',
  ],
  delete: [
    'Delete a token',
    'Deletes a token. The token becomes invalid immediately. The request is rejected with 409 if the token is the last `team_admin` token that has neither scopes nor an expiry.',
  ],
};

export function registerTokenRoutes(app: App, deps: Deps): void {
  const {
    store: { tokens },
  } = deps;
  registerResourceRoutes<StoredToken>(app, {
    path: 'tokens',
    noun: 'Token',
    plural: 'Tokens',
    tag: 'tokens',
    readPermission: 'manage_tokens',
    managePermission: 'manage_tokens',
    summaries: SUMMARIES,
    schemas: { input: TokenInput, update: TokenUpdate, created: TokenWithSecret, output: Token, list: TokenList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Return only the token with this name.' })),
      role: Type.Optional(
        Type.Unsafe<string>({ ...TokenRole, $id: undefined, description: 'Return only tokens with this role.' }),
      ),
    },
    create: async ({ name, role, scopes = null, expires_at = null }: Static<typeof TokenInput>) => {
      const { token, value } = await tokens.create({
        name,
        role,
        scopes,
        expires_at: expires_at === null ? null : new Date(expires_at),
      });
      return { stored: token, oneTimeFields: { token: value } };
    },
    list: (options, filter) => tokens.list(options, filter),
    get: (id) => tokens.get(id),
    findProblems: (input: Static<typeof TokenUpdate>, current) => [
      ...findScopeProblems(input, current),
      ...(typeof input.expires_at === 'string' && Date.parse(input.expires_at) <= Date.now()
        ? [{ pointer: '/expires_at', detail: 'expires_at must be in the future.' }]
        : []),
    ],
    update: (id, { expires_at, ...changes }: Static<typeof TokenUpdate>, expectedVersion) => {
      const expiry = expires_at === undefined ? {} : { expires_at: expires_at === null ? null : new Date(expires_at) };
      return tokens.update(id, { ...changes, ...expiry }, expectedVersion);
    },
    delete: (id, expectedVersion) => tokens.delete(id, expectedVersion),
    toJson: toTokenJson,
  });

  registerRotateToken(app, deps);
  registerGetCurrentToken(app, deps);
}

/** Registers the token of the request. A client uses it to offer only permitted actions. */
function registerGetCurrentToken(app: App, { store: { tokens } }: Deps): void {
  app.get(
    '/v1/tokens/current',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getCurrentToken',
          tags: ['tokens'],
          summary: 'Get the current token',
          description: 'Returns the token of the request without its value, and the permissions of the token.',
        }),
        response: { 200: response('The token.', CurrentToken) },
      },
    },
    async ({ identity }) => {
      const token = await tokens.get((identity as NonNullable<typeof identity>).id);
      const permissions = PERMISSION_NAMES.filter((permission) => hasPermission(token, permission));
      return { ...toTokenJson(token), permissions };
    },
  );
}

function registerRotateToken(app: App, { store: { tokens } }: Deps): void {
  registerRotationRoute<StoredToken>(app, {
    path: 'tokens',
    tag: 'tokens',
    permission: 'manage_tokens',
    operation: {
      operationId: 'rotateToken',
      summary: 'Rotate a token',
      description:
        'Generates a new value for a token and returns it. The previous value remains valid during the overlap (one hour by default), so that you can update clients.',
    },
    schema: TokenWithSecret,
    get: (id) => tokens.get(id),
    rotate: async (id, overlapMinutes, expectedVersion) => {
      const { token, value } = await tokens.rotate(id, overlapMinutes, expectedVersion);
      return { stored: token, oneTimeFields: { token: value } };
    },
    toJson: toTokenJson,
  });
}
