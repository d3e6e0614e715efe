import { SSL_MODES } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import {
  change,
  enumeration,
  Failure,
  id,
  list,
  name,
  nullable,
  object,
  ref,
  resourceName,
  stamps,
  text,
} from '../../http/schemas.ts';

export const SslMode = enumeration(
  'SslMode',
  SSL_MODES,
  '`verify-full` checks the server’s certificate and name; `require` encrypts only; `disable` does neither.',
);

const destinationFields = {
  name: resourceName,
  type: Type.Literal('postgres', { description: 'The kind of warehouse.' }),
  host: text(
    'Host name, IPv4 address, or IPv6 address with or without brackets. No path of a socket, no port, no list.',
    {
      minLength: 1,
      maxLength: 253,
      examples: ['warehouse.example.com'],
    },
  ),
  port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port.', examples: [5432] }),
  database: text('Name of the database.', { minLength: 1, maxLength: 63, examples: ['analytics'] }),
  username: text('The role that writes.', { minLength: 1, maxLength: 63, examples: ['freshet'] }),
  credential_id: id('The credential with the role’s password'),
};

const sslCa = nullable(
  text('Certificates (PEM) of whoever has signed the warehouse’s, where it is none of the well-known; null: those.', {
    maxLength: 100_000,
  }),
);

export const DestinationInput = name(
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
    {
      description: 'A PostgreSQL warehouse.',
    },
  ),
);

export const Destination = name(
  'Destination',
  object(
    { id: id('The destination'), ...destinationFields, ssl_mode: ref(SslMode), ssl_ca: sslCa, ...stamps },
    { description: 'A PostgreSQL warehouse.' },
  ),
);

export const DestinationChange = change(
  'DestinationChange',
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
  { description: 'Fields to change.' },
);

export const DestinationList = list('DestinationList', Destination);

export const DestinationVerdict = name(
  'DestinationVerdict',
  object(
    {
      usable: Type.Boolean({ description: 'The connection works, and the role may make what a pipeline needs.' }),
      server_version: nullable(text('PostgreSQL’s version; null when it could not be reached.')),
      missing_grants: Type.Array(Type.String(), { description: 'Statements that would give the role what it lacks.' }),
      error: nullable(ref(Failure)),
    },
    { description: 'Whether a warehouse can be used.' },
  ),
);
