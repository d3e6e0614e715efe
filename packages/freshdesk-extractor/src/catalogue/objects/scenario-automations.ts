import { bigint, boolean, jsonb, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const scenarioAutomations = defineObject({
  name: 'scenario_automations',
  title: 'Scenario automations',
  description: 'Sets of actions that agents run with one click. Many accounts return no timestamps.',
  docs: 'https://developers.freshdesk.com/api/#list_all_scenario_automations',
  path: '/api/v2/scenario_automations',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, samples: ['', 'Escalate', null] }),
    actions: jsonb('Actions, each with its name and an optional value.', {
      samples: [[{ name: 'priority', value: '3' }, { name: 'send_email_to_requester' }]],
    }),
    private: boolean('Only the author can see the scenario.'),
  },
});
