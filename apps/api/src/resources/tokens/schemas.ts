import { TOKEN_ROLES } from '@freshet/control-store';
import { Type } from 'typebox';
import { PERMISSION_NAMES, PERMISSIONS } from '../../http/permissions.ts';
import {
  defineSchema,
  enumeration,
  nullable,
  object,
  pageSchema,
  ref,
  resourceName,
  string,
  timestamp,
  timestamps,
  updateSchema,
  uuid,
} from '../../http/schemas.ts';

export const TokenRole = enumeration(
  'TokenRole',
  TOKEN_ROLES,
  'The role of a token, which determines its permissions. The security guide lists the permissions of each role.',
  'team_collaborator',
);
const Permission = enumeration(
  'Permission',
  PERMISSION_NAMES,
  PERMISSION_NAMES.map((permission) => `\`${permission}\`: ${PERMISSIONS[permission]}`).join(' '),
);

const tokenFields = {
  name: resourceName('deployments'),
  role: ref(TokenRole),
  scopes: nullable(
    Type.Array(ref(Permission), {
      minItems: 1,
      uniqueItems: true,
      description:
        'The permissions to which the token is restricted. The role of the token must include these permissions. Null: the token has all permissions of the role.',
      examples: [['read', 'run']],
    }),
  ),
  expires_at: nullable(
    timestamp('Time at which the token expires. Null: the token does not expire.', '2099-01-01T00:00:00.000Z'),
  ),
};

export const TokenInput = defineSchema(
  'TokenInput',
  object(
    {
      name: tokenFields.name,
      role: tokenFields.role,
      scopes: Type.Optional(tokenFields.scopes),
      expires_at: Type.Optional(tokenFields.expires_at),
    },
    { description: 'The token to create.' },
  ),
);

const tokenProperties = {
  id: uuid('token', 'The id of the token.'),
  ...tokenFields,
  last_used_at: nullable(
    timestamp('Time of the last request with the token, accurate to the minute. Null: the token was never used.'),
  ),
  rotated_at: timestamp('Time at which the current value was generated.', '2026-01-05T07:30:00.000Z'),
  previous_until: nullable(
    timestamp('End of the overlap, during which the previous value is also valid. Null: the token was never rotated.'),
  ),
  ...timestamps,
};

export const Token = defineSchema(
  'Token',
  object(tokenProperties, { description: 'An API token, without its value.' }),
);
export const TokenUpdate = updateSchema(
  'TokenUpdate',
  {
    name: Type.Optional(tokenFields.name),
    role: Type.Optional(tokenFields.role),
    scopes: Type.Optional(tokenFields.scopes),
    expires_at: Type.Optional(tokenFields.expires_at),
  },
  Token,
  { description: 'The fields to update.' },
);
export const TokenList = pageSchema('TokenList', Token);

export const TokenWithSecret = defineSchema(
  'TokenWithSecret',
  object(
    {
      ...tokenProperties,
      token: string(
        'The value of the token: `frt_`, 30 random characters and a checksum of 6 characters. The value is returned only once.',
        { pattern: '^frt_[0-9A-Za-z]{36}$', examples: ['frt_0123456789abcdefghijklmnopqrst012345'] },
      ),
    },
    { description: 'An API token with its value.' },
  ),
);

export const CurrentToken = defineSchema(
  'CurrentToken',
  object(
    {
      ...tokenProperties,
      permissions: Type.Array(ref(Permission), {
        description: 'The permissions of the token: those of its role, restricted to its scopes.',
        examples: [['read', 'run']],
      }),
    },
    { description: 'The token of the request, without its value.' },
  ),
);
