import type { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { formatTime, STATUSES } from '@freshet/freshdesk-simulator/lifecycle';
import { isResolved, type Row, stopsSlaTimer, type TicketMetrics } from './ticket-metrics.ts';

/** The rows of the models that show records of the account with the names of other records. */

type Fields = Readonly<Record<string, unknown>>;

const PRIORITY_LABELS: Readonly<Record<number, string>> = { 1: 'Low', 2: 'Medium', 3: 'High', 4: 'Urgent' };
const SCORE_LABELS: Readonly<Record<number, string>> = {
  [3]: 'Extremely happy',
  [2]: 'Very happy',
  [1]: 'Happy',
  [0]: 'Neutral',
  [-1]: 'Unhappy',
  [-2]: 'Very unhappy',
  [-3]: 'Extremely unhappy',
};

/** The names of an account's records. */
export class RecordNames {
  readonly #names = new Map<string, Map<number, string>>();
  readonly #account: SimulatedAccount;

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** Returns the name of a record; null without a key. Names of agents are in their contact. */
  find(objectName: string, key: unknown): string | null {
    let names = this.#names.get(objectName);
    if (names === undefined) {
      names = new Map(
        [...this.#account.listAllRecords(objectName)].map(({ text }) => {
          const record = JSON.parse(text) as { id: number; name?: string; label?: string; contact?: { name: string } };
          return [record.id, record.contact?.name ?? record.name ?? record.label ?? ''];
        }),
      );
      this.#names.set(objectName, names);
    }
    return names.get(key as number) ?? null;
  }
}

/** Lists the rows of the model `tickets`, without the custom fields. */
export function listTicketRows(account: SimulatedAccount, tickets: readonly TicketMetrics[]): Row[] {
  const names = new RecordNames(account);
  const records = [...account.listAllRecords('tickets')].map(({ text }) => JSON.parse(text) as Fields);
  const metrics = new Map(tickets.map((ticket) => [ticket.history.id, ticket]));
  return records.map((record) => buildTicketRow(record, metrics.get(record['id'] as number) as TicketMetrics, names));
}

function buildTicketRow(record: Fields, ticket: TicketMetrics, names: RecordNames): Row {
  const stats = Object.entries(record['stats'] as Record<string, string | null>);
  const { history, isOutbound } = ticket;
  const status = history.snapshots.at(-1)?.status as number;
  const copy = (name: string) => record[name] as string | number | null;
  const reference = (object: string, name: string, key = copy(name)) => names.find(object, key);
  return {
    ...Object.fromEntries(
      ['id', 'subject', 'type', 'status', 'priority', 'source', 'group_id', 'requester_id'].map((name) => [
        name,
        copy(name),
      ]),
    ),
    ...Object.fromEntries(
      ['company_id', 'product_id', 'created_at', 'updated_at', 'due_by', 'fr_due_by', 'nr_due_by'].map((name) => [
        name,
        copy(name),
      ]),
    ),
    ...Object.fromEntries(stats),
    agent_id: copy('responder_id'),
    agent_name: reference('agents', 'responder_id'),
    group_name: reference('groups', 'group_id'),
    requester_name: reference('contacts', 'requester_id'),
    company_name: reference('companies', 'company_id'),
    product_name: reference('products', 'product_id'),
    status_label: STATUSES.find(({ id }) => id === status)?.label ?? null,
    priority_label: PRIORITY_LABELS[copy('priority') as number] ?? null,
    tags: JSON.stringify(history.created.tags),
    is_resolved: isResolved(status),
    is_merged: history.isMerged,
    is_spam: history.view === 'spam',
    is_deleted: history.view === 'trash',
    is_outbound: isOutbound,
    is_archived: false,
  };
}

/** Lists the rows of the model `ticket_statuses`. */
export function listStatusRows(): Row[] {
  return STATUSES.map(({ id, label }) => ({
    status: id,
    label,
    is_resolved: isResolved(id),
    stops_sla_timer: stopsSlaTimer(id),
  }));
}

/** Lists the columns of `csat_responses` that show names. */
export function describeRating(row: Row, names: RecordNames, ticket: TicketMetrics): Row {
  return {
    ...row,
    agent_name: names.find('agents', row['agent_id']),
    group_name: names.find('groups', row['group_id']),
    requester_id: ticket.history.created.requesterId,
    label: SCORE_LABELS[row['score'] as number] ?? null,
  };
}

/** Lists the columns of `time_tracked` that show names. */
export function describeTimeEntry(row: Row, names: RecordNames, ticket: TicketMetrics): Row {
  return {
    ...row,
    agent_name: names.find('agents', row['agent_id']),
    company_id: ticket.history.created.companyId,
  };
}

/** Formats the intervals of a schedule as rows of `business_intervals`. */
export function toIntervalRows(
  scheduleId: number,
  intervals: readonly { readonly opensAt: number; readonly closesAt: number }[],
): Row[] {
  return intervals.map(({ opensAt, closesAt }) => ({
    schedule_id: scheduleId,
    opens_at: formatTime(opensAt),
    closes_at: formatTime(closesAt),
  }));
}
