import { OUTBOUND_EMAIL } from './directory.ts';

/** What tickets are like and what happens to them, with relative frequencies. */

export const SOURCES = [
  [1, 48],
  [2, 18],
  [3, 11],
  [7, 9],
  [9, 5],
  [6, 2],
  [13, 2],
  [OUTBOUND_EMAIL, 5],
] as const;
export const PRIORITIES = [
  [1, 50],
  [2, 30],
  [3, 14],
  [4, 6],
] as const;
export const RATINGS = [
  [103, 40],
  [102, 12],
  [101, 8],
  [100, 12],
  [-101, 6],
  [-102, 6],
  [-103, 16],
] as const;
export const TAGS = ['invoice', 'vip', 'naïve café', '🔥', 'refund', 'bug'];
/** The SLA targets by priority, in hours. */
export const FIRST_RESPONSE_HOURS: Readonly<Record<number, number>> = { 1: 24, 2: 12, 3: 4, 4: 1 };
export const RESOLUTION_HOURS: Readonly<Record<number, number>> = { 1: 120, 2: 72, 3: 24, 4: 8 };
/** What happens to an open ticket that is assigned, with weights. */
export const ASSIGNED_ACTIONS = [
  ['reply', 42],
  ['assign', 6],
  ['private_note', 12],
  ['public_note', 6],
  ['forward', 5],
  ['automatic_reply', 3],
  ['customer_message', 12],
  ['priority', 5],
  ['group', 9],
  ['active_status', 5],
  ['waiting_status', 4],
  ['resolve', 8],
  ['time', 8],
  ['discard', 1.2],
  ['finish', 0.8],
] as const;
export const UNASSIGNED_ACTIONS = [['assign', 24] as const, ...ASSIGNED_ACTIONS];
/** Actions without which a ticket can be resolved. */
export const OPTIONAL_ACTIONS: ReadonlySet<string> = new Set([
  'private_note',
  'public_note',
  'forward',
  'automatic_reply',
  'customer_message',
  'priority',
  'group',
  'active_status',
  'waiting_status',
]);
