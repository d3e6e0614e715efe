import { Type } from 'typebox';
import { EXAMPLE_IDS } from '../../http/example-values.ts';
import { defineSchema, nullable, object, pageSchema, ref, string, timestamp, uuid } from '../../http/schemas.ts';
import { TokenRole } from '../tokens/schemas.ts';

const Actor = defineSchema(
  'Actor',
  object(
    {
      id: uuid(
        'token',
        'The id of the token. `00000000-0000-0000-0000-000000000000`: the change was made with the command `freshet create-token`, which needs no token.',
      ),
      name: string(
        'The name of the token at the time of the request. For the command `freshet create-token`, the user name and the host name, as `user@host`.',
        { examples: ['deployments'] },
      ),
      role: ref(TokenRole),
    },
    { description: 'The author of the change: the token with which the request was sent, or the user of a command.' },
  ),
);

const AuditEntry = defineSchema(
  'AuditEntry',
  object(
    {
      id: uuid('audit_entry', 'The id of the entry.'),
      at: timestamp('Time of the change.', '2026-01-05T07:30:00.000Z'),
      actor: ref(Actor),
      address: string(
        'The IP address of the client. For the command `freshet create-token`, the address from which the command connected to the control database.',
      ),
      request_id: string('The id of the request. It is also contained in the log entries of the request.'),
      action: string('The id of the operation.', { examples: ['updatePipeline'] }),
      resource: string('The path of the resource.', { examples: [`pipelines/${EXAMPLE_IDS.pipeline}`] }),
      before: nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            'The resource before the change, without secrets. Null: the resource did not exist, or the operation does not log the previous state.',
          examples: [{ id: EXAMPLE_IDS.pipeline, name: 'acme', frequency_minutes: 720 }],
        }),
      ),
      after: nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            'The body of the response, without secrets. For a preview of a table, the name of the table and the number of rows. For a query, the statement without its constants, the digest of the complete statement, and the tables. Null: the response had no body.',
          examples: [{ id: EXAMPLE_IDS.pipeline, name: 'acme', frequency_minutes: 360 }],
        }),
      ),
    },
    {
      description:
        'A change that was made through the API or with the command `freshet create-token`, a preview of a table, or a query.',
    },
  ),
);

export const AuditEntryList = pageSchema('AuditEntryList', AuditEntry);
