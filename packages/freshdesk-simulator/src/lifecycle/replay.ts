import { getObject, listChildren } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '../account.ts';
import type { Fields } from '../account-options.ts';
import { generateText } from '../text-generator.ts';
import { CLOSED } from './directory.ts';
import type { LogEntry, MessageAdded, MessageType, TicketCreated, TicketEvent, TicketUpdated } from './event-log.ts';
import { TicketState } from './ticket-state.ts';
import { formatTime } from './times.ts';

/** The clock of a simulated account. Pass `clock.now` as the account's option `now`. */
export class AccountClock {
  /** The time in milliseconds. */
  time: number;
  readonly now = (): number => this.time;

  constructor(time: number) {
    this.time = time;
  }
}

/** The texts of messages. */
const TEXTS = Array.from({ length: 37 }, (_, n) => generateText('paragraph', 1, n));
/** The fields of conversations that are the same for all types. */
const COMMON_FIELDS: Fields = {
  support_email: null,
  from_email: null,
  to_emails: [],
  cc_emails: [],
  bcc_emails: [],
  attachments: [],
  last_edited_at: null,
  last_edited_user_id: null,
};
/** The fields of conversations by type. */
const MESSAGE_FIELDS: Readonly<Record<MessageType, Fields>> = {
  reply: { ...COMMON_FIELDS, incoming: false, private: false, source: 0, category: 3, auto_response: false },
  public_note: { ...COMMON_FIELDS, incoming: false, private: false, source: 2, category: 2, auto_response: false },
  private_note: { ...COMMON_FIELDS, incoming: false, private: true, source: 2, category: 2, auto_response: false },
  forward: { ...COMMON_FIELDS, incoming: false, private: false, source: 8, category: 5, auto_response: false },
  automatic_reply: { ...COMMON_FIELDS, incoming: false, private: false, source: 0, category: 3, auto_response: true },
  customer_message: { ...COMMON_FIELDS, incoming: true, private: false, source: 0, category: 1, auto_response: false },
  survey_feedback: { ...COMMON_FIELDS, incoming: true, private: false, source: 6, category: 1, auto_response: false },
};

/** Applies the events of a log to a simulated account at the times of the events. */
export class Replay {
  readonly #account: SimulatedAccount;
  readonly #clock: AccountClock;
  readonly #log: readonly LogEntry[];
  readonly #states = new Map<number, TicketState>();
  /** The tickets whose records lack the newest values that Freshdesk derives from events. */
  readonly #changedTickets = new Set<number>();
  readonly #messagesById = new Map<number, MessageAdded>();
  #position = 0;
  /** The keys of the records that events created: conversations, ratings and time entries. */
  readonly recordIds = new Map<TicketEvent, number>();

  constructor(account: SimulatedAccount, clock: AccountClock, log: readonly LogEntry[]) {
    this.#account = account;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Applies all events up to a time in milliseconds, and sets the account's clock to this time. An
   * earlier time than that of the clock has no effect.
   */
  advanceTo(time: number): void {
    if (time < this.#clock.time) return;
    for (; this.#position < this.#log.length; this.#position++) {
      const entry = this.#log[this.#position] as LogEntry;
      if (entry.at > time) break;
      this.#clock.time = entry.at;
      this.#apply(entry);
    }
    this.#clock.time = time;
    this.#updateDerivedFields();
  }

  /** Updates the fields that Freshdesk derives from events. `updated_at` does not change. */
  #updateDerivedFields(): void {
    const tickets = this.#account.getList(getObject('tickets'));
    for (const ticketId of this.#changedTickets) {
      const updatedAt = tickets.getUpdatedAt(tickets.findNumber(ticketId));
      this.#account.update('tickets', ticketId, this.#getState(ticketId).getFields(), updatedAt);
    }
    this.#changedTickets.clear();
  }

  #apply({ at, ticketId, event }: LogEntry): void {
    this.#changedTickets.add(ticketId);
    switch (event.kind) {
      case 'created':
        return this.#create(ticketId, event, at);
      case 'message':
        return this.#addMessage(ticketId, event);
      case 'updated': {
        if (event.status !== undefined) this.#getState(ticketId).setStatus(event.status, at);
        return this.#account.update('tickets', ticketId, toFields(event));
      }
      case 'merged':
        return this.#merge(ticketId, event.primaryId, at);
      case 'moved':
        return this.#account.move('tickets', ticketId, event.view);
      default:
        return this.#addRecord(ticketId, event);
    }
  }

  #create(ticketId: number, event: TicketCreated, at: number): void {
    const state = new TicketState(event, at);
    this.#states.set(ticketId, state);
    const key = this.#account.create('tickets', {
      requester_id: event.requesterId,
      company_id: event.companyId,
      source: event.source,
      status: event.status,
      priority: event.priority,
      group_id: event.groupId,
      responder_id: event.agentId,
      tags: event.tags,
      association_type: null,
      associated_tickets_count: null,
      fr_due_by: formatTime(event.firstResponseDueAt),
      due_by: formatTime(event.resolutionDueAt),
      ...(at % 1000 === 0 ? {} : { created_at: formatTime(at) }),
    });
    if (key !== ticketId) throw new RangeError(`The account assigned the key ${key} to ticket ${ticketId}.`);
  }

  #addMessage(ticketId: number, event: MessageAdded): void {
    const createdAt = formatTime(event.createdAt);
    const text = event.text ?? (TEXTS[event.createdAt % TEXTS.length] as string);
    const key = this.#account.createChild('conversations', ticketId, {
      ...MESSAGE_FIELDS[event.type],
      user_id: event.authorId,
      body: `<div>${text}</div>`,
      body_text: text,
      automation_id: event.type === 'automatic_reply' && event.createdAt % 2 === 0 ? 84_170_000_001 : null,
      created_at: createdAt,
      updated_at: createdAt,
    });
    this.recordIds.set(event, key);
    this.#messagesById.set(key, event);
    this.#getState(ticketId).addMessage(event);
  }

  #addRecord(ticketId: number, event: Extract<TicketEvent, { kind: 'rated' | 'time_tracked' }>): void {
    const { requesterId, companyId } = this.#getState(ticketId).created;
    const key =
      event.kind === 'rated'
        ? this.#account.create('satisfaction_ratings', {
            ticket_id: ticketId,
            agent_id: event.agentId,
            group_id: event.groupId,
            feedback: event.feedback,
            user_id: requesterId,
            ratings: { default_question: event.rating },
          })
        : this.#account.create('time_entries', {
            ticket_id: ticketId,
            agent_id: event.agentId,
            company_id: companyId,
            billable: event.isBillable,
            timer_running: false,
            time_spent: formatHours(event.minutes),
            time_spent_in_seconds: event.minutes * 60,
            executed_at: formatTime(event.executedAt),
          });
    this.recordIds.set(event, key);
  }

  #merge(ticketId: number, primaryId: number, at: number): void {
    const children = listChildren('tickets');
    const moved = new Map(children.map(({ name }) => [name, this.#listChildIds(name, ticketId)]));
    this.#account.mergeAndClose('tickets', primaryId, [ticketId]);
    this.#getState(ticketId).setStatus(CLOSED, at);
    // The conversations have new keys in the primary ticket.
    for (const [name, ids] of moved) {
      const newIds = ids.length === 0 ? [] : this.#listChildIds(name, primaryId).slice(-ids.length);
      ids.forEach((id, n) => {
        const event = this.#messagesById.get(id);
        if (event === undefined) return;
        this.recordIds.set(event, newIds[n] as number);
        this.#messagesById.set(newIds[n] as number, event);
      });
    }
  }

  #listChildIds(objectName: string, ticketId: number): number[] {
    const children = this.#account.listChildren(getObject(objectName), ticketId) ?? [];
    return children.map((text) => (JSON.parse(text) as { id: number }).id);
  }

  #getState(ticketId: number): TicketState {
    const state = this.#states.get(ticketId);
    if (state === undefined) throw new RangeError(`Ticket ${ticketId} has an event before its creation.`);
    return state;
  }
}

/** Returns the fields that an update sets. */
function toFields({ status, priority, groupId, agentId }: TicketUpdated): Fields {
  const fields: Fields = {};
  if (status !== undefined) fields['status'] = status;
  if (priority !== undefined) fields['priority'] = priority;
  if (groupId !== undefined) fields['group_id'] = groupId;
  if (agentId !== undefined) fields['responder_id'] = agentId;
  return fields;
}

function formatHours(minutes: number): string {
  const pad = (n: number) => String(n).padStart(2, '0');
  return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}
