import { Type } from 'typebox';
import { id, list, name, nullable, object, ref, text, time } from '../../http/schemas.ts';
import { TokenRoleName } from '../tokens/schemas.ts';

const Actor = name(
  'Actor',
  object(
    { id: id('The token'), name: text('Its name at that time.'), role: ref(TokenRoleName) },
    { description: 'Who has changed something.' },
  ),
);

const AuditEntry = name(
  'AuditEntry',
  object(
    {
      id: id('The entry'),
      at: time('When.'),
      actor: ref(Actor),
      address: text('The address that the request came from.'),
      request_id: text('Names the request in the logs.'),
      action: text('The operation.', { examples: ['changePipeline'] }),
      resource: text('What was changed, by its path.', {
        examples: ['pipelines/019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21'],
      }),
      before: nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'As it was, without secrets; null: it was not there, or is not told.',
        }),
      ),
      after: nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'As the request was answered, without secrets; null: it had no answer.',
        }),
      ),
    },
    { description: 'One change.' },
  ),
);

export const AuditEntryList = list('AuditEntryList', AuditEntry);
