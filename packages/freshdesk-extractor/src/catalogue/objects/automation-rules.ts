import { isJsonObject, type Json, type JsonObject } from '@freshet/contracts';
import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseWrappedList } from '../wrapped-list.ts';

const getRulesPath = (type: number) => `/api/v2/automations/${type}/rules`;
const RULE = {
  position: 1,
  active: true,
  performer: { type: 1, members: [84010000101] },
  events: [{ field_name: 'responder_id', from: '--', to: 84010000101 }],
  conditions: [{ name: 'condition_set_1', match_type: 'all', properties: [] }],
  operator: null,
  outdated: false,
  last_updated_by: 84010000101,
  affected_tickets_count: null,
  summary: { performer: 'When an agent acts' },
  created_at: '2024-12-14T11:18:11.201Z',
  updated_at: '2024-12-14T11:18:11.201Z',
};

export const automationRules = defineObject({
  name: 'automation_rules',
  title: 'Automation rules',
  description:
    'Automation rules for tickets, which run on creation, on updates or hourly. Secrets of webhook actions are removed.',
  docs: 'https://developers.freshdesk.com/api/#automations',
  path: getRulesPath(1),
  parseRecords: (response) => parseWrappedList(response, 'rules').map(removeSecrets),
  // Rules on creation, hourly rules, and rules on updates. [documented]
  strategy: { kind: 'full-list', paths: [getRulesPath(1), getRulesPath(3), getRulesPath(4)] },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  list: {
    responses: {
      [getRulesPath(1)]: {
        rules: [
          {
            id: 84190000101,
            name: 'Greet',
            automation_type_id: 1,
            ...RULE,
            actions: [{ field_name: 'status', value: 3 }],
          },
        ],
      },
      [getRulesPath(3)]: { rules: [], meta: { count: 0 } },
      [getRulesPath(4)]: {
        rules: [
          {
            id: 84190000102,
            name: 'Notify another system',
            automation_type_id: 4,
            ...RULE,
            actions: [
              {
                field_name: 'trigger_webhook',
                url: 'https://hooks.example/in',
                auth_header: { username: 'u', password: 'p' },
                api_key: 'k',
              },
            ],
          },
        ],
        meta: { count: 1 },
      },
    },
  },
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.'),
    position: bigint('Position among the rules of the same type.'),
    active: boolean('The rule is active.'),
    automation_type_id: bigint('Trigger of the rule.', { values: { 1: 'On creation', 3: 'Hourly', 4: 'On update' } }),
    performer: jsonb('People whose actions trigger the rule.', { nullable: true, optional: true }),
    events: jsonb('Events that trigger the rule.', { nullable: true, optional: true }),
    conditions: jsonb('Conditions that a ticket must meet.', { nullable: true, optional: true }),
    operator: text('Operator between the condition sets.', { nullable: true, optional: true }),
    actions: jsonb('Actions of the rule. Keys, passwords and headers of webhooks are removed.', {
      nullable: true,
      optional: true,
    }),
    outdated: boolean('The rule refers to a deleted record or field.', { optional: true }),
    last_updated_by: bigint('Agent who last updated the rule.', {
      nullable: true,
      optional: true,
      references: 'agents',
    }),
    affected_tickets_count: bigint('Number of tickets recently changed by the rule.', {
      nullable: true,
      optional: true,
    }),
    summary: jsonb('Summary of the rule.', { nullable: true, optional: true }),
    ...TIMESTAMPS,
  },
});

const SECRET_NAME = /key|pass|secret|token|auth|header|credential/i;

/** Removes fields that may hold credentials of other systems, at any depth (I6). */
function removeSecrets(rule: JsonObject): JsonObject {
  return removeSecretFields(rule) as JsonObject;
}

function removeSecretFields(value: Json): Json {
  if (Array.isArray(value)) return value.map(removeSecretFields);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      SECRET_NAME.test(name) ? [] : [[name, removeSecretFields(inner)]],
    ),
  );
}
