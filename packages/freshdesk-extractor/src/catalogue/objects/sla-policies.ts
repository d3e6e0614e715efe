import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const slaPolicies = defineObject({
  name: 'sla_policies',
  title: 'SLA policies',
  description: 'Times within which tickets are to be answered and resolved.',
  docs: 'https://developers.freshdesk.com/api/#list_all_sla_policies',
  path: '/api/v2/sla_policies',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 3,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    active: boolean('In use.'),
    is_default: boolean('Applies where no other does.'),
    position: bigint('Its place in the order of trying; the list does not come in it.', { samples: [1, 2, 3] }),
    applicable_to: jsonb(
      'What it applies to: company_ids, group_ids, sources, ticket_types, product_ids; {} for the default.',
      {
        samples: [{}, { ticket_types: ['Incident'] }],
      },
    ),
    sla_target: jsonb(
      'Priority → respond_within, resolve_within and next_respond_within in seconds, business_hours, escalation_enabled.',
      {
        optional: true,
        samples: [
          {
            priority_4: {
              respond_within: 3600,
              resolve_within: 14400,
              next_respond_within: null,
              business_hours: false,
              escalation_enabled: true,
            },
          },
        ],
      },
    ),
    escalation: jsonb('Who is told when; -1 among agent_ids is the assigned agent.', {
      samples: [{}, { response: { escalation_time: 1800, agent_ids: [-1] } }],
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
