/** The people and groups of an account, between whom the events of tickets happen. */
export interface Directory {
  readonly agentIds: readonly number[];
  readonly groupIds: readonly number[];
  readonly requesters: readonly { readonly id: number; readonly companyId: number | null }[];
  /** Custom statuses in which the SLA clock continues to run. */
  readonly activeStatuses: readonly number[];
  /** Custom statuses in which the SLA clock is stopped. */
  readonly waitingStatuses: readonly number[];
  /** Custom statuses with which the account regards a ticket as resolved. */
  readonly resolvedStatuses: readonly number[];
}

/** The statuses that every account has. [documented] */
export const OPEN = 2;
export const PENDING = 3;
export const RESOLVED = 4;
export const CLOSED = 5;

/** The source of tickets that agents create with an email to a customer. [documented] */
export const OUTBOUND_EMAIL = 10;
