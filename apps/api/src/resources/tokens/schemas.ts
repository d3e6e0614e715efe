import { TOKEN_ROLES } from '@freshet/control-store';
import { Type } from 'typebox';
import { PERMISSION_NAMES, PERMISSIONS } from '../../http/permissions.ts';
import { change, enumeration, id, list, name, nullable, object, ref, stamps, text, time } from '../../http/schemas.ts';

export const TokenRoleName = enumeration(
  'TokenRole',
  TOKEN_ROLES,
  'Who may do what: `docs/security.md` has the table.',
);
const Permission = enumeration(
  'Permission',
  PERMISSION_NAMES,
  PERMISSION_NAMES.map((permission) => `\`${permission}\`: ${PERMISSIONS[permission]}`).join(' '),
);

const tokenFields = {
  name: text('What it is for.', { minLength: 1, maxLength: 255, examples: ['nightly reports'] }),
  role: ref(TokenRoleName),
  scopes: nullable(
    Type.Array(ref(Permission), {
      minItems: 1,
      uniqueItems: true,
      description: 'Fewer permissions than the role has; null: all of them.',
    }),
  ),
  expires_at: nullable(time('It opens nothing from then on; null: it does not expire.')),
};

export const TokenInput = name(
  'TokenInput',
  object(
    {
      name: tokenFields.name,
      role: tokenFields.role,
      scopes: Type.Optional(tokenFields.scopes),
      expires_at: Type.Optional(tokenFields.expires_at),
    },
    { description: 'A token to make.' },
  ),
);

const tokenShown = {
  id: id('The token'),
  ...tokenFields,
  last_used_at: nullable(time('When it was last used, to the minute; null: never.')),
  rotated_at: time('When its text was made.'),
  previous_until: nullable(time('Its text before the last rotation opens until then; null: it was not rotated.')),
  ...stamps,
};

export const Token = name('Token', object(tokenShown, { description: 'An API token. Its text is never shown again.' }));
export const TokenChange = change(
  'TokenChange',
  {
    name: Type.Optional(tokenFields.name),
    role: Type.Optional(tokenFields.role),
    scopes: Type.Optional(tokenFields.scopes),
    expires_at: Type.Optional(tokenFields.expires_at),
  },
  Token,
  { description: 'Fields to change.' },
);
export const TokenList = list('TokenList', Token);

export const NewToken = name(
  'NewToken',
  object(
    {
      ...tokenShown,
      token: text('The token itself, shown this once: `frt_`, 30 random characters and a checksum of six.', {
        pattern: '^frt_[0-9A-Za-z]{36}$',
      }),
    },
    { description: 'An API token with its text.' },
  ),
);

export const Rotation = name(
  'Rotation',
  object(
    {
      overlap_minutes: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 43_200,
          default: 60,
          description: 'How long the old secret is good beside the new one, in minutes.',
        }),
      ),
    },
    { description: 'How a secret is rotated.' },
  ),
);
