import { CREDENTIAL_TYPES } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import {
  change,
  enumeration,
  id,
  list,
  name,
  object,
  ref,
  resourceName,
  stamps,
  text,
  time,
} from '../../http/schemas.ts';

export const CredentialType = enumeration('CredentialType', CREDENTIAL_TYPES, 'What the secret opens.');

const Secret = {
  api_key: text('An agent’s API key, from the profile settings in Freshdesk.', { minLength: 1, maxLength: 4096 }),
  password: text('The role’s password.', { maxLength: 4096 }),
};

export const FreshdeskApiKeyInput = name(
  'FreshdeskApiKeyInput',
  object(
    {
      name: resourceName,
      type: Type.Literal('freshdesk_api_key', { description: 'A Freshdesk API key.' }),
      api_key: Secret.api_key,
    },
    { description: 'A Freshdesk API key to keep.' },
  ),
);

export const PostgresPasswordInput = name(
  'PostgresPasswordInput',
  object(
    {
      name: resourceName,
      type: Type.Literal('postgres_password', { description: 'A PostgreSQL password.' }),
      password: Secret.password,
    },
    { description: 'A PostgreSQL password to keep.' },
  ),
);

export const CredentialInput = name(
  'CredentialInput',
  Type.Unsafe<Static<typeof FreshdeskApiKeyInput> | Static<typeof PostgresPasswordInput>>({
    type: 'object',
    description: 'A secret to keep. It is encrypted, and never sent back.',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [{ $ref: 'FreshdeskApiKeyInput#' }, { $ref: 'PostgresPasswordInput#' }],
  }),
);

export const Credential = name(
  'Credential',
  object(
    {
      id: id('The credential'),
      name: resourceName,
      type: ref(CredentialType),
      hint: text('The last four characters of the secret; empty for short ones.'),
      rotated_at: time('When the secret was last changed.'),
      ...stamps,
    },
    { description: 'A secret that is kept. The secret itself is never sent back.' },
  ),
);

export const CredentialChange = change(
  'CredentialChange',
  {
    name: Type.Optional(resourceName),
    api_key: Type.Optional(Secret.api_key),
    password: Type.Optional(Secret.password),
  },
  Credential,
  { description: 'A new name, or a new secret: the one that fits the credential’s type.' },
);

export const CredentialList = list('CredentialList', Credential);
