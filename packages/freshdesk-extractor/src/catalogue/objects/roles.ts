import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const roles = defineObject({
  name: 'roles',
  title: 'Roles',
  description: 'Sets of permissions that agents have.',
  docs: 'https://developers.freshdesk.com/api/#list_all_roles',
  path: '/api/v2/roles',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 6,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    default: boolean('Comes with every account.'),
    agent_type: bigint('Kind of agent it is for.', {
      optional: true,
      values: { 1: 'Support agent', 2: 'Field agent', 3: 'Collaborator' },
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed; migrations of the platform move it in bulk.'),
  },
});
