import { randomUUID } from 'node:crypto';
import type { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { formatTime } from '@freshet/freshdesk-simulator/lifecycle';

const DAY_MS = 86_400_000;

export interface ActivityRange {
  /** The start of the table's coverage, in milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Earlier days are loaded already. */
  readonly since: number;
}

/**
 * Builds the batch lines of the account's activities: a record for each activity, and the coverage
 * of the table, as a sync stores them.
 */
export function buildActivityLines(account: SimulatedAccount, { from, to, since }: ActivityRange): string[] {
  const lines: string[] = [];
  for (let time = Math.floor(Math.max(from, since) / DAY_MS) * DAY_MS; time < to; time += DAY_MS) {
    const day = new Date(time).toISOString().slice(0, 10);
    const positions = new Map<string, number>();
    account.listActivities(day).forEach(({ performedAt, ticketId, performerType, performerId, activity }, n) => {
      const moment = `${ticketId} ${performedAt}`;
      positions.set(moment, (positions.get(moment) ?? 0) + 1);
      const record = {
        // The order of the keys differs from the order of the activities, as for real entries.
        id: `${(n * 7919) % 10_007}-${day}-${n}`,
        day,
        ticket_id: ticketId,
        performed_at: formatTime(performedAt * 1000),
        position: positions.get(moment),
        performer_type: performerType,
        performer_id: performerId,
        activity,
      };
      lines.push(JSON.stringify({ record }));
    });
  }
  const coverage = {
    run_id: randomUUID(),
    complete_as_of: formatTime(to),
    complete_back_to: formatTime(Math.floor(from / DAY_MS) * DAY_MS),
  };
  lines.push(JSON.stringify({ reached: coverage }));
  return lines;
}
