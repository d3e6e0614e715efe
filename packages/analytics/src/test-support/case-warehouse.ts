import type postgres from 'postgres';
import {
  CASE_AGENTS,
  CASE_CALENDARS,
  CASE_GROUPS,
  CASE_HOLIDAYS,
  CASE_STATUS_SETTINGS,
  CASE_STATUSES,
  EDITED_AT,
  HOURS_BEFORE_EDIT,
} from '../cases/account.ts';
import { type CaseMessage, type HandCase, TICKET_DEFAULTS } from '../cases/case.ts';
import { refreshAnalytics } from '../refresh/refresh.ts';
import { type SourceRow, TestWarehouse } from './warehouse.ts';

const MISSING: Readonly<Record<HandCase['account'], readonly string[]>> = {
  stats: ['ticket_activities', 'tickets_history'],
  activities: ['tickets_history'],
  history: ['ticket_activities'],
};
const REQUESTER = 100;

/** Message → columns of the conversation. */
const MESSAGE_COLUMNS: Readonly<Record<CaseMessage['kind'], SourceRow>> = {
  reply: { incoming: false, private: false, source: 0 },
  'public note': { incoming: false, private: false, source: 2 },
  'private note': { incoming: false, private: true, source: 2 },
  'customer message': { incoming: true, private: false, source: 0 },
  forward: { incoming: false, private: false, source: 8 },
  'automatic reply': { incoming: false, private: false, source: 0, auto_response: true },
  'reply of an automation rule': { incoming: false, private: false, source: 0, automation_id: 7 },
  'survey feedback': { incoming: true, private: false, source: 6 },
};

/** Creates a warehouse with the tickets of cases, and builds the models. The ids start with 1. */
export async function buildCaseWarehouse(
  sql: postgres.Sql,
  account: HandCase['account'],
  cases: readonly HandCase[],
): Promise<TestWarehouse> {
  const warehouse = await TestWarehouse.create(sql, { schema: `cases_${account}`, missing: MISSING[account] });
  await fillAccount(warehouse);
  // The first refresh creates the tables of the user, which change the calendars.
  await refreshAnalytics(sql, warehouse.target);
  await sql.unsafe(
    `insert into ${warehouse.model('business_holidays')} select * from jsonb_to_recordset($1::jsonb) as h (schedule_id bigint, day date, name text)`,
    [CASE_HOLIDAYS as never],
  );
  await sql.unsafe(
    `insert into ${warehouse.model('ticket_status_settings')} select * from jsonb_to_recordset($1::jsonb) as s (status bigint, is_resolved boolean, stops_sla_timer boolean)`,
    [CASE_STATUS_SETTINGS as never],
  );
  for (const [n, handCase] of cases.entries()) await insertCase(warehouse, handCase, n + 1);
  if (account === 'activities')
    await warehouse.insert('ticket_activities', [
      { id: 'first', day: '2025-01-01', ticket_id: 0, performed_at: '2025-01-01T08:00:00Z', activity: {} },
    ]);
  await refreshAnalytics(sql, warehouse.target);
  return warehouse;
}

async function fillAccount(warehouse: TestWarehouse): Promise<void> {
  await warehouse.insert(
    'business_hours',
    CASE_CALENDARS.map((calendar) => ({ ...calendar, is_default: calendar.id === 1 })),
  );
  const edited = CASE_CALENDARS.find(({ name }) => name === 'Edited') as (typeof CASE_CALENDARS)[number];
  await warehouse.insert('business_hours_history', [
    { ...edited, business_hours: HOURS_BEFORE_EDIT, valid_from: '2025-01-15T00:00:00Z' },
    { ...edited, valid_from: EDITED_AT },
  ]);
  await warehouse.insert('groups', CASE_GROUPS);
  await warehouse.insert('agents', CASE_AGENTS);
  await warehouse.insert('ticket_fields', [{ name: 'status', type: 'default_status', choices: CASE_STATUSES }]);
}

async function insertCase(warehouse: TestWarehouse, handCase: HandCase, id: number): Promise<void> {
  const { ticket, messages = [], activities = [], versions = [], ratings = [], timeEntries = [] } = handCase;
  const row = {
    ...TICKET_DEFAULTS,
    updated_at: ticket.updated_at ?? ticket.created_at,
    ...ticket,
    id,
    requester_id: REQUESTER,
  };
  await warehouse.insert('tickets', [row]);
  await warehouse.insert(
    'conversations',
    messages.map(({ at, kind, author, text }, n) => ({
      id: id * 100 + n,
      ticket_id: id,
      created_at: at,
      body_text: text ?? kind,
      user_id: author ?? (kind === 'customer message' || kind === 'survey feedback' ? REQUESTER : 1),
      ...MESSAGE_COLUMNS[kind],
    })),
  );
  if (handCase.account === 'activities')
    await warehouse.insert(
      'ticket_activities',
      activities.map(({ at, activity }, n) => ({
        // The order of the keys differs from the order of the activities, as for real entries.
        id: `${id}-${activities.length - n}`,
        day: at.slice(0, 10),
        ticket_id: id,
        performed_at: at,
        position: activities.slice(0, n + 1).filter((other) => other.at === at).length,
        activity,
      })),
    );
  if (handCase.account === 'history')
    await warehouse.insert(
      'tickets_history',
      versions.map(({ from, status_updated_at, ...version }) => ({
        ...row,
        ...version,
        valid_from: from,
        stats: { status_updated_at },
      })),
    );
  await warehouse.insert(
    'satisfaction_ratings',
    ratings.map(({ at, code }, n) => ({
      id: id * 100 + n,
      ticket_id: id,
      user_id: REQUESTER,
      created_at: at,
      ratings: { default_question: code },
    })),
  );
  await warehouse.insert(
    'time_entries',
    timeEntries.map((time_spent, n) => ({
      id: id * 100 + n,
      ticket_id: id,
      agent_id: 1,
      time_spent,
      executed_at: ticket.created_at,
    })),
  );
}
