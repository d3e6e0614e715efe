import { OBJECT_VERDICTS } from '@freshet/contracts';
import { Type } from 'typebox';
import { defineSchema, enumeration, Failure, nullable, object, ref, string } from '../../http/schemas.ts';
import { sourceFields } from './schemas.ts';

const ObjectAccess = enumeration(
  'ObjectAccess',
  OBJECT_VERDICTS,
  'Whether the API key can read an object. `forbidden`: the key has no permission to read the object. `not_in_plan`: the plan of the account does not include the object. `error`: the request failed for a different reason.',
);

export const PipelineTestInput = defineSchema(
  'PipelineTestInput',
  object(
    { subdomain: sourceFields.subdomain, credential_id: sourceFields.credential_id },
    { description: 'The account and the API key to test.' },
  ),
);

const TicketScope = enumeration(
  'TicketScope',
  ['global', 'group', 'restricted', 'unknown'],
  'Which tickets the agent can access. `global`: all tickets. `group`: the tickets of the agent’s groups. `restricted`: the tickets that are assigned to the agent.',
);

const AccountAgent = defineSchema(
  'AccountAgent',
  object(
    {
      id: string('The id of the agent.', { examples: ['80012345678'] }),
      name: string('The name of the agent.', { examples: ['Ada Admin'] }),
      ticket_scope: ref(TicketScope),
    },
    { description: 'The agent to whom the API key belongs.' },
  ),
);

const AccountLimit = defineSchema(
  'AccountLimit',
  object(
    {
      bucket: string('`account` for the rate limit of the account, or the name of a list that has its own limit.'),
      credits_per_minute: nullable(
        Type.Number({
          description: 'Credits per minute. Null: Freshdesk has not reported the limit.',
          examples: [400],
        }),
      ),
    },
    { description: 'A rate limit of the account.' },
  ),
);

const AccountObject = defineSchema(
  'AccountObject',
  object(
    {
      object: string('The name of the object.'),
      verdict: ref(ObjectAccess),
      message: nullable(string('Why the object is not available, or which other object it requires.')),
      changed_since_filter: nullable(
        string(
          'The query parameter that filters records by time of change in this account. Null: the object has no such filter.',
        ),
      ),
    },
    { description: 'The access of the API key to an object.' },
  ),
);

export const PipelineTestResult = defineSchema(
  'PipelineTestResult',
  object(
    {
      ok: Type.Boolean({ description: 'Whether the API key is valid and at least one object is available.' }),
      subdomain: string('The account.'),
      agent: nullable(ref(AccountAgent)),
      limits: Type.Array(ref(AccountLimit), { description: 'The known rate limits of the account.' }),
      sees_all_tickets: Type.Boolean({
        description:
          'Whether the agent can access all tickets. Freshdesk omits tickets that the agent cannot access from responses, and reports no error. False if the test failed.',
      }),
      objects: Type.Array(ref(AccountObject), {
        description: 'The access of the API key to each object of the catalog.',
      }),
      error: nullable(ref(Failure)),
    },
    { description: 'The result of a connection test of a Freshdesk account.' },
  ),
);
