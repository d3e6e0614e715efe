/** A ticket whose metrics were calculated manually. The documentation shows the same cases. */
export interface HandCase {
  readonly title: string;
  /**
   * `stats`: the pipeline has neither activities nor a history of tickets. `activities`: the table
   * ticket_activities is complete from 2025-01-01. `history`: the pipeline has a history of
   * tickets.
   */
  readonly account: 'stats' | 'activities' | 'history';
  /** Fields of the ticket. Fields without a value have the defaults of `TICKET_DEFAULTS`. */
  readonly ticket: CaseTicket;
  readonly messages?: readonly CaseMessage[];
  readonly activities?: readonly CaseActivity[];
  readonly versions?: readonly CaseVersion[];
  readonly ratings?: readonly { readonly at: string; readonly code: number }[];
  /** Values of `time_spent`. */
  readonly timeEntries?: readonly string[];
  /** The calculation in words. */
  readonly calculation: string;
  readonly expected: CaseResult;
}

export interface CaseTicket {
  readonly created_at: string;
  readonly status?: number;
  readonly priority?: number;
  readonly source?: number;
  readonly group_id?: number | null;
  readonly responder_id?: number | null;
  readonly updated_at?: string;
  readonly fr_due_by?: string;
  readonly nr_due_by?: string;
  readonly due_by?: string;
  readonly spam?: boolean;
  readonly _freshet_deleted_at?: string;
  readonly _freshet_delete_kind?: string;
  readonly stats?: Readonly<Record<string, string>>;
}

export interface CaseMessage {
  readonly at: string;
  /** The kind of message, as Freshdesk stores it. */
  readonly kind:
    | 'reply'
    | 'public note'
    | 'private note'
    | 'customer message'
    | 'forward'
    | 'automatic reply'
    | 'reply of an automation rule'
    | 'survey feedback';
  /** The author; absent: agent 1, or the requester. */
  readonly author?: number;
  readonly text?: string;
}

interface CaseActivity {
  readonly at: string;
  readonly activity: Readonly<Record<string, unknown>>;
}

/** A version of the ticket in the table tickets_history. */
interface CaseVersion {
  readonly from: string;
  readonly status: number;
  readonly group_id?: number | null;
  readonly status_updated_at?: string;
}

type Values = Readonly<Record<string, string | number | boolean | null>>;

/** Expected values. Only the named columns are compared. Minutes are numbers. */
interface CaseResult {
  readonly metrics?: Values;
  /** All responses of the ticket, in the order of time. */
  readonly responses?: readonly Values[];
  /** All periods of the ticket. */
  readonly periods?: readonly Values[];
  /** Kind of target → values. */
  readonly targets?: Readonly<Record<string, Values>>;
}

/** The fields of a ticket that a case does not state. */
export const TICKET_DEFAULTS: Omit<
  Required<CaseTicket>,
  | 'created_at'
  | 'updated_at'
  | 'fr_due_by'
  | 'nr_due_by'
  | 'due_by'
  | 'spam'
  | '_freshet_deleted_at'
  | '_freshet_delete_kind'
  | 'stats'
> = {
  status: 2,
  priority: 1,
  source: 1,
  group_id: 10,
  responder_id: 1,
};
