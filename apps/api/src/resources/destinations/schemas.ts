import { SSL_MODES } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import {
  defineSchema,
  enumeration,
  Failure,
  nullable,
  object,
  pageSchema,
  ref,
  resourceName,
  string,
  timestamps,
  updateSchema,
  uuid,
} from '../../http/schemas.ts';

export const SslMode = enumeration(
  'SslMode',
  SSL_MODES,
  'How the connection is secured. `verify-full`: the connection is encrypted, and the certificate and the host name of the server are verified. `require`: the connection is encrypted, but the server is not verified. `disable`: the connection is not encrypted.',
  'verify-full',
);

const destinationFields = {
  name: resourceName('warehouse'),
  type: Type.Literal('postgres', { description: 'The kind of warehouse.' }),
  host: string(
    'A host name, an IPv4 address, or an IPv6 address with or without square brackets. The value must not contain a port.',
    {
      minLength: 1,
      maxLength: 253,
      examples: ['warehouse.example.com'],
    },
  ),
  port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'The TCP port.', examples: [5432] }),
  database: string('The name of the database.', { minLength: 1, maxLength: 63, examples: ['analytics'] }),
  username: string('The PostgreSQL role with which Freshet connects.', {
    minLength: 1,
    maxLength: 63,
    examples: ['freshet'],
  }),
  credential_id: uuid(
    'password',
    'The credential with the password of the role. Its type must be `postgres_password`.',
  ),
};

const sslCa = nullable(
  string(
    'The PEM certificates of the CA that signed the server certificate. Null: Freshet trusts the well-known CAs.',
    {
      maxLength: 100_000,
    },
  ),
);

export const DestinationInput = defineSchema(
  'DestinationInput',
  object(
    {
      ...destinationFields,
      port: Type.Optional({ ...destinationFields.port, default: 5432 }),
      ssl_mode: Type.Optional(
        Type.Unsafe<Static<typeof SslMode>>({ ...SslMode, $id: undefined, default: 'verify-full' }),
      ),
      ssl_ca: Type.Optional(sslCa),
    },
    { description: 'The destination to create.' },
  ),
);

export const Destination = defineSchema(
  'Destination',
  object(
    {
      id: uuid('destination', 'The id of the destination.'),
      ...destinationFields,
      ssl_mode: ref(SslMode),
      ssl_ca: sslCa,
      ...timestamps,
    },
    { description: 'A PostgreSQL warehouse that pipelines load into.' },
  ),
);

export const DestinationUpdate = updateSchema(
  'DestinationUpdate',
  {
    name: Type.Optional(destinationFields.name),
    host: Type.Optional(destinationFields.host),
    port: Type.Optional(destinationFields.port),
    database: Type.Optional(destinationFields.database),
    username: Type.Optional(destinationFields.username),
    credential_id: Type.Optional(destinationFields.credential_id),
    ssl_mode: Type.Optional(ref(SslMode)),
    ssl_ca: Type.Optional(sslCa),
  },
  Destination,
  { description: 'The fields to update.' },
);

export const DestinationList = pageSchema('DestinationList', Destination);

export const DestinationTestResult = defineSchema(
  'DestinationTestResult',
  object(
    {
      usable: Type.Boolean({
        description: 'Whether the connection succeeded and the role has all privileges that a pipeline needs.',
      }),
      server_version: nullable(string('The version of the PostgreSQL server. Null: the connection failed.')),
      missing_grants: Type.Array(Type.String(), {
        description: 'SQL statements that grant the missing privileges. Empty: none are missing.',
        examples: [[]],
      }),
      error: nullable(ref(Failure)),
    },
    { description: 'The result of a connection test of a warehouse.' },
  ),
);
