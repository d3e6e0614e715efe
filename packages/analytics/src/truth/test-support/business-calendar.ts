import { listOpenIntervals, measureOpenTime, type OpenInterval, type TrueSchedule } from './open-intervals.ts';
import type { Snapshot } from './ticket-histories.ts';

/** A period in which a ticket has the same group. */
export interface GroupPeriod {
  readonly from: number;
  /** `Infinity` for the last period. */
  readonly to: number;
  readonly groupId: number | null;
}

/** Measures business time with the schedules of an account. */
export class BusinessCalendar {
  readonly #intervals: ReadonlyMap<number, readonly OpenInterval[]>;
  readonly #defaultId: number;
  readonly #scheduleByGroup: ReadonlyMap<number, number | null>;

  /** @param schedules the default calendar first. */
  constructor(
    schedules: readonly TrueSchedule[],
    scheduleByGroup: ReadonlyMap<number, number | null>,
    { from, to }: { readonly from: number; readonly to: number },
  ) {
    this.#intervals = new Map(schedules.map((schedule) => [schedule.id, listOpenIntervals(schedule, from, to)]));
    this.#defaultId = (schedules[0] as TrueSchedule).id;
    this.#scheduleByGroup = scheduleByGroup;
  }

  getIntervals(scheduleId: number): readonly OpenInterval[] {
    return this.#intervals.get(scheduleId) as readonly OpenInterval[];
  }

  /** Returns the schedule of a group, or the default calendar. */
  findSchedule(groupId: number | null): number {
    return (groupId === null ? null : this.#scheduleByGroup.get(groupId)) ?? this.#defaultId;
  }

  /**
   * Returns the business time between two times, in milliseconds. The schedule of each group period
   * applies in that period.
   */
  measure(groups: readonly GroupPeriod[], from: number, to: number): number {
    return groups.reduce((sum, period) => {
      const scheduleId = this.findSchedule(period.groupId);
      const start = Math.max(from, period.from);
      const end = Math.min(to, period.to);
      return start < end ? sum + measureOpenTime(this.getIntervals(scheduleId), start, end) : sum;
    }, 0);
  }
}

/** Lists the group periods of a ticket. The first group also applies before the creation. */
export function listGroupPeriods(snapshots: readonly Snapshot[]): GroupPeriod[] {
  return snapshots.map(({ from, groupId }, n) => ({
    from: n === 0 ? Number.NEGATIVE_INFINITY : from,
    to: snapshots[n + 1]?.from ?? Number.POSITIVE_INFINITY,
    groupId,
  }));
}
