import { CREDIT_CLASSES, OBJECT_VERDICTS } from '@freshet/contracts';
import { Type } from 'typebox';
import { enumeration, Failure, name, nullable, object, ref, text, time } from '../../http/schemas.ts';
import { sourceFields } from '../pipelines/schemas.ts';

const ObjectVerdict = enumeration('ObjectVerdict', OBJECT_VERDICTS, 'Whether the key may read the object.');

export const PipelineTestInput = name(
  'PipelineTestInput',
  object(
    { subdomain: sourceFields.subdomain, credential_id: sourceFields.credential_id },
    { description: 'An account and a key to try.' },
  ),
);

const TicketScope = enumeration(
  'TicketScope',
  ['global', 'group', 'restricted', 'unknown'],
  'Which tickets the agent sees.',
);

const AccountAgent = name(
  'AccountAgent',
  object(
    { id: text('The agent’s id.'), name: text('The agent’s name.'), ticket_scope: ref(TicketScope) },
    { description: 'The agent whose key it is.' },
  ),
);

const AccountLimit = name(
  'AccountLimit',
  object(
    {
      bucket: text('`account`, or a list with a limit of its own.'),
      credits_per_minute: nullable(Type.Number({ description: 'As the answers told; null: they did not.' })),
    },
    { description: 'A limit.' },
  ),
);

const AccountObject = name(
  'AccountObject',
  object(
    {
      object: text('The object.'),
      verdict: ref(ObjectVerdict),
      message: nullable(text('Why it is not available.')),
      changed_since_filter: nullable(text('The filter that the account obeys; null: none, or the object has none.')),
    },
    { description: 'What a key sees of one object.' },
  ),
);

export const PipelineVerdict = name(
  'PipelineVerdict',
  object(
    {
      ok: Type.Boolean({ description: 'The key opens the account, and at least one object is available.' }),
      subdomain: text('The account.'),
      agent: nullable(ref(AccountAgent)),
      limits: Type.Array(ref(AccountLimit), { description: 'The limits that were seen.' }),
      sees_all_tickets: Type.Boolean({ description: 'False: the key sees a part of the tickets, without any error.' }),
      objects: Type.Array(ref(AccountObject), { description: 'Each object.' }),
      error: nullable(ref(Failure)),
    },
    { description: 'What a key sees of an account.' },
  ),
);

const CreditClassName = enumeration('CreditClass', CREDIT_CLASSES, 'What work is for; the more urgent first.');

const CreditClassUse = name(
  'CreditClassUse',
  object(
    {
      class: ref(CreditClassName),
      used: Type.Number({ minimum: 0, description: 'Credits that it has taken in this minute.' }),
      wanted_until: nullable(
        time('It was refused for want of credits, and less urgent work leaves the bucket to it until then.'),
      ),
    },
    { description: 'Credits by what they are spent for.' },
  ),
);

const CreditBucket = name(
  'CreditBucket',
  object(
    {
      bucket: text('`account`, or the name of a list that has a limit of its own.'),
      unlimited: Type.Boolean({ description: 'The account answers without limits.' }),
      total: nullable(
        Type.Number({ description: 'Credits in a minute, as the account’s answers told; null: not known yet.' }),
      ),
      used: Type.Number({
        minimum: 0,
        description: 'Credits spent in this minute, by Freshet and, as far as answers told, by others.',
      }),
      window_ends_at: nullable(time('When the minute ends; null: none is under way.')),
      blocked_until: nullable(time('No call is made before then: the account has answered with 429.')),
      classes: Type.Array(ref(CreditClassUse), {
        description: 'Of `used`, what Freshet’s own work has taken; the most urgent first.',
      }),
    },
    { description: 'Credits that calls draw on.' },
  ),
);

export const Budget = name(
  'Budget',
  object(
    {
      subdomain: text('The account.'),
      buckets: Type.Array(ref(CreditBucket), { description: 'Each bucket; none before the first call.' }),
    },
    { description: 'An account’s credits, which all of its pipelines and workers share.' },
  ),
);
