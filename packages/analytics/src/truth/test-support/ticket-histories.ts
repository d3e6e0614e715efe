import type { LogEntry, TicketEvent } from '@freshet/freshdesk-simulator/lifecycle';

type Event<K extends TicketEvent['kind']> = Extract<TicketEvent, { kind: K }>;

/** A conversation of a ticket. */
export interface Message {
  readonly event: Event<'message'>;
  readonly createdAt: number;
  /** The key of the conversation. */
  readonly id: number;
}

/** The properties of a ticket from a time on. */
export interface Snapshot {
  readonly from: number;
  readonly status: number;
  readonly priority: number;
  readonly groupId: number | null;
  readonly agentId: number | null;
}

/** Everything that happened to one ticket. */
export interface TicketHistory {
  readonly id: number;
  readonly createdAt: number;
  readonly created: Event<'created'>;
  /** In the order of `created_at` and key. Includes the conversations of merged tickets. */
  messages: Message[];
  /** In the order of time. The first snapshot starts with the creation. */
  readonly snapshots: Snapshot[];
  /** The number of changes of a property in the second of a previous change of this property. */
  repeatedChanges: number;
  readonly ratings: { readonly at: number; readonly event: Event<'rated'>; readonly id: number }[];
  readonly timeEntries: { readonly at: number; readonly event: Event<'time_tracked'>; readonly id: number }[];
  /** The time by which the next response is due; null if no customer message waits for one. */
  nextResponseDueAt: number | null;
  isMerged: boolean;
  view: 'live' | 'trash' | 'spam';
}

/** Collects the events of each ticket. @param recordIds the keys of the records of events. */
export function collectHistories(
  log: readonly LogEntry[],
  recordIds: ReadonlyMap<TicketEvent, number>,
): Map<number, TicketHistory> {
  const histories = new Map<number, TicketHistory>();
  for (const entry of log) {
    if (entry.event.kind === 'created') histories.set(entry.ticketId, startHistory(entry, entry.event));
    else addEvent(histories, entry, recordIds.get(entry.event) ?? 0);
  }
  for (const history of histories.values()) history.messages.sort((a, b) => a.createdAt - b.createdAt || a.id - b.id);
  return histories;
}

function startHistory({ at, ticketId }: LogEntry, created: Event<'created'>): TicketHistory {
  const { status, priority, groupId, agentId } = created;
  return {
    id: ticketId,
    createdAt: at,
    created,
    messages: [],
    snapshots: [{ from: at, status, priority, groupId, agentId }],
    repeatedChanges: 0,
    ratings: [],
    timeEntries: [],
    nextResponseDueAt: null,
    isMerged: false,
    view: 'live',
  };
}

function addEvent(histories: Map<number, TicketHistory>, { at, ticketId, event }: LogEntry, id: number): void {
  const history = getHistory(histories, ticketId);
  const last = history.snapshots.at(-1) as Snapshot;
  switch (event.kind) {
    case 'message':
      history.messages.push({ event, createdAt: event.createdAt, id });
      if (event.type === 'customer_message') history.nextResponseDueAt ??= event.nextResponseDueAt;
      else if (event.type === 'reply' || event.type === 'public_note') history.nextResponseDueAt = null;
      return;
    case 'updated': {
      const { status = last.status, priority = last.priority } = event;
      const { groupId = last.groupId, agentId = last.agentId } = event;
      // Of the states that begin at the same time, the last one counts.
      if (last.from === at) history.snapshots.pop();
      const state = { status, priority, groupId, agentId };
      const before = history.snapshots.at(-1);
      if (before === undefined || listChanges(before, state).length > 0) history.snapshots.push({ from: at, ...state });
      if (last.from === at && before !== undefined) {
        const changed = new Set(listChanges(before, last));
        if (listChanges(last, state).some((name) => changed.has(name))) history.repeatedChanges++;
      }
      return;
    }
    case 'rated':
      history.ratings.push({ at, event, id });
      return;
    case 'time_tracked':
      history.timeEntries.push({ at, event, id });
      return;
    case 'merged': {
      const primary = getHistory(histories, event.primaryId);
      primary.messages.push(...history.messages);
      history.messages = [];
      history.isMerged = true;
      if (last.status !== 5) history.snapshots.push({ ...last, status: 5, from: at });
      return;
    }
    case 'moved':
      history.view = event.view;
      return;
    default:
      throw new TypeError(`A ticket cannot be created twice: ${ticketId}.`);
  }
}

type State = Omit<Snapshot, 'from'>;

/** Lists the properties that differ between two states. */
function listChanges(before: State, after: State): (keyof State)[] {
  return (['status', 'priority', 'groupId', 'agentId'] as const).filter((name) => before[name] !== after[name]);
}

function getHistory(histories: ReadonlyMap<number, TicketHistory>, id: number): TicketHistory {
  const history = histories.get(id);
  if (history === undefined) throw new RangeError(`Ticket ${id} has an event before its creation.`);
  return history;
}
