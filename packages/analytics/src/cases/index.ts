import { ACTIVITY_CASES } from './activities.ts';
import { BUSINESS_TIME_CASES } from './business-time.ts';
import type { HandCase } from './case.ts';
import { HISTORY_CASES } from './history.ts';
import { MESSAGE_CASES } from './messages.ts';
import { RESOLUTION_CASES, TARGET_CASES } from './resolutions.ts';
import { SAME_SECOND_CASES } from './same-second.ts';

/** The manually calculated cases, by topic. */
export const HAND_CASES: readonly { readonly topic: string; readonly cases: readonly HandCase[] }[] = [
  { topic: 'Business time', cases: BUSINESS_TIME_CASES },
  { topic: 'Messages and responses', cases: MESSAGE_CASES },
  { topic: 'Resolutions and tickets that do not count', cases: RESOLUTION_CASES },
  { topic: 'Targets', cases: TARGET_CASES },
  { topic: 'Activities', cases: ACTIVITY_CASES },
  { topic: 'Activities within a second', cases: SAME_SECOND_CASES },
  { topic: 'History', cases: HISTORY_CASES },
];
