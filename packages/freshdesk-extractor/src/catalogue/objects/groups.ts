import { bigint, boolean, jsonb, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const groups = defineObject({
  name: 'groups',
  title: 'Groups',
  description: 'Groups of agents.',
  docs: 'https://developers.freshdesk.com/api/#list_all_groups',
  path: '/api/v2/groups',
  strategy: { kind: 'full-list' },
  detail: { path: '/api/v2/groups/{id}', columns: ['agent_ids'] },
  permission: 'admin',
  typicalCount: 8,
  list: { defaultOrder: ['name', 'asc'] },
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    escalate_to: bigint('Agent who is notified if a ticket remains unassigned.', {
      nullable: true,
      references: 'agents',
    }),
    unassigned_for: text('Time after which an unassigned ticket is escalated.', {
      nullable: true,
      samples: ['30m', '1h', '1d', null],
    }),
    business_hour_id: bigint('Business hours of the group.', { nullable: true, references: 'business_hours' }),
    group_type: text('Group type.', { optional: true, samples: ['support_agent_group', 'field_agent_group'] }),
    auto_ticket_assign: text(
      'Automatic assignment: 0 off, 1 round robin, 2 skill-based, 3 load-based, 12 Omniroute. Older accounts return true or false.',
      {
        samples: [0, 1, 2, true, false],
      },
    ),
    agent_ids: jsonb('Ids of the group’s agents. Requires record details.', {
      optional: true,
      nullable: true,
      samples: [],
    }),
    allow_agents_to_change_availability: boolean('Agents can change their availability.', {
      optional: true,
      samples: [],
    }),
    agent_availability_status: boolean('Availability of agents is enabled.', { optional: true, samples: [] }),
    created_at: timestamp('Creation time.'),
    updated_at: timestamp('Time of the last update. Membership changes do not always count as an update.'),
  },
});
