import { CREDENTIAL_TYPES } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import {
  defineSchema,
  enumeration,
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

export const CredentialType = enumeration(
  'CredentialType',
  CREDENTIAL_TYPES,
  'The kind of secret: `freshdesk_api_key` for a pipeline, `postgres_password` for a destination.',
);

const name = resourceName('acme key');

const Secret = {
  api_key: string('The API key of a Freshdesk agent, from the agent’s profile settings.', {
    minLength: 1,
    maxLength: 4096,
    examples: ['aB3dE5fG7hJ9kL1mN3x7Qa'],
  }),
  password: string('The password of the PostgreSQL role.', {
    maxLength: 4096,
    examples: ['correct horse battery staple'],
  }),
};

export const FreshdeskApiKeyInput = defineSchema(
  'FreshdeskApiKeyInput',
  object(
    {
      name,
      type: Type.Literal('freshdesk_api_key', { description: 'The kind of secret.' }),
      api_key: Secret.api_key,
    },
    { description: 'A credential with a Freshdesk API key.' },
  ),
);

export const PostgresPasswordInput = defineSchema(
  'PostgresPasswordInput',
  object(
    {
      name: resourceName('warehouse password'),
      type: Type.Literal('postgres_password', { description: 'The kind of secret.' }),
      password: Secret.password,
    },
    { description: 'A credential with a PostgreSQL password.' },
  ),
);

export const CredentialInput = defineSchema(
  'CredentialInput',
  Type.Unsafe<Static<typeof FreshdeskApiKeyInput> | Static<typeof PostgresPasswordInput>>({
    type: 'object',
    description: 'The credential to create.',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [{ $ref: 'FreshdeskApiKeyInput#' }, { $ref: 'PostgresPasswordInput#' }],
  }),
);

export const Credential = defineSchema(
  'Credential',
  object(
    {
      id: uuid('api_key', 'The id of the credential.'),
      name,
      type: ref(CredentialType),
      hint: string('The last four characters of the secret. Empty: the secret is too short for a hint.'),
      rotated_at: timestamp('Time at which the secret was last changed.', '2026-01-05T07:30:00.000Z'),
      ...timestamps,
    },
    { description: 'A secret that is stored encrypted. The API never returns the secret itself.' },
  ),
);

export const CredentialUpdate = updateSchema(
  'CredentialUpdate',
  {
    name: Type.Optional(name),
    api_key: Type.Optional(Secret.api_key),
    password: Type.Optional(Secret.password),
  },
  Credential,
  {
    description: 'The fields to update. The secret must match the type of the credential.',
    examples: [{ api_key: 'bC4eF6gH8iK0lM2nO4x7Qa' }],
  },
);

export const CredentialList = pageSchema('CredentialList', Credential);
