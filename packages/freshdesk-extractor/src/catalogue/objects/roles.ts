import { bigint, boolean, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const roles = defineObject({
  name: 'roles',
  title: 'Roles',
  description: 'Roles of agents.',
  docs: 'https://developers.freshdesk.com/api/#list_all_roles',
  path: '/api/v2/roles',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 6,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    default: boolean('True for a role that Freshdesk defines, false for a role that the account defines.'),
    agent_type: bigint('Agent type of the role.', {
      optional: true,
      values: { 1: 'Support agent', 2: 'Field agent', 3: 'Collaborator' },
    }),
    created_at: timestamp('Creation time.'),
    updated_at: timestamp('Time of the last update. Migrations by Freshdesk change it for many roles at once.'),
  },
});
