/**
 * The log of everything that happens to the tickets of a simulated account. The log is the source
 * of the account's records and of its activity history, so both agree with each other.
 */
export interface LogEntry {
  /** When the event happens, in milliseconds. */
  readonly at: number;
  /** The ticket's key. */
  readonly ticketId: number;
  readonly event: TicketEvent;
}

export type TicketEvent =
  | TicketCreated
  | TicketUpdated
  | MessageAdded
  | TicketRated
  | TimeTracked
  | TicketMerged
  | TicketMoved;

export interface TicketCreated {
  readonly kind: 'created';
  readonly requesterId: number;
  readonly companyId: number | null;
  readonly source: number;
  readonly status: number;
  readonly priority: number;
  readonly groupId: number | null;
  readonly agentId: number | null;
  readonly tags: readonly string[];
  /** Due times in milliseconds; null if no SLA policy applies. */
  readonly firstResponseDueAt: number | null;
  readonly resolutionDueAt: number | null;
}

/** A change of one or more properties of a ticket. Absent properties do not change. */
export interface TicketUpdated {
  readonly kind: 'updated';
  readonly status?: number;
  readonly priority?: number;
  readonly groupId?: number | null;
  readonly agentId?: number | null;
  readonly performer: Performer;
}

/** Who changes a ticket: an agent or a contact, or an automation rule. */
export type Performer = { readonly userId: number } | 'system';

export type MessageType =
  | 'reply'
  | 'public_note'
  | 'private_note'
  | 'forward'
  | 'automatic_reply'
  | 'customer_message'
  | 'survey_feedback';

export interface MessageAdded {
  readonly kind: 'message';
  readonly type: MessageType;
  readonly authorId: number;
  /**
   * The `created_at` of the conversation, in milliseconds. Differs from the time of the event if
   * the clock of the sender's server is wrong.
   */
  readonly createdAt: number;
  /** The time by which the response to a customer message is due; null if no SLA policy applies. */
  readonly nextResponseDueAt: number | null;
  /** The text of the message. Default: its type. */
  readonly text?: string;
}

interface TicketRated {
  readonly kind: 'rated';
  /** The code of the rating, from 103 (extremely happy) to -103 (extremely unhappy). */
  readonly rating: number;
  readonly agentId: number | null;
  readonly groupId: number | null;
  readonly feedback: string | null;
}

interface TimeTracked {
  readonly kind: 'time_tracked';
  readonly agentId: number;
  readonly minutes: number;
  readonly isBillable: boolean;
  /** The day of the work, as the time of its start in UTC, in milliseconds. */
  readonly executedAt: number;
}

/** The ticket is merged into a primary ticket, which receives its conversations. */
interface TicketMerged {
  readonly kind: 'merged';
  readonly primaryId: number;
  readonly performer: Performer;
}

/** The ticket moves to the trash or to spam, or is restored. */
interface TicketMoved {
  readonly kind: 'moved';
  readonly view: 'live' | 'trash' | 'spam';
  readonly performer: Performer;
}
