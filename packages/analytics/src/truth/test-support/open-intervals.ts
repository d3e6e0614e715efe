/// <reference lib="esnext.temporal" />

/** A period in which a schedule is open, in milliseconds. */
export interface OpenInterval {
  readonly opensAt: number;
  readonly closesAt: number;
}

/** The hours of a schedule from a time on. */
export interface ScheduleVersion {
  /** In milliseconds. The first version is valid since the beginning of time. */
  readonly validFrom: number;
  readonly hours: Readonly<Record<string, { readonly start_time: string; readonly end_time: string }>>;
}

export interface TrueSchedule {
  readonly id: number;
  /** An IANA name. */
  readonly timeZone: string;
  readonly versions: readonly ScheduleVersion[];
  /** Local days without opening, as `YYYY-MM-DD`. */
  readonly holidays: ReadonlySet<string>;
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/**
 * Lists the open intervals of a schedule between two times, by walking over the local days. An
 * interval that ends at or before its start ends on the next day. Open time on a holiday is
 * removed.
 */
export function listOpenIntervals(schedule: TrueSchedule, from: number, to: number): OpenInterval[] {
  const { timeZone, versions, holidays } = schedule;
  const toLocalDate = (ms: number) =>
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).toPlainDate();
  const intervals: OpenInterval[] = [];
  versions.forEach(({ hours, validFrom }, n) => {
    const validTo = versions[n + 1]?.validFrom ?? to;
    const start = Math.max(from, n === 0 ? from : validFrom);
    const lastDay = toLocalDate(validTo).add({ days: 1 });
    // A shift that began on the previous day can still be open.
    for (let day = toLocalDate(start).subtract({ days: 1 }); !isAfter(day, lastDay); day = day.add({ days: 1 })) {
      const times = hours[WEEKDAYS[day.dayOfWeek - 1] as string];
      if (times === undefined) continue;
      for (const interval of splitByDay(day, times, timeZone, holidays)) {
        const opensAt = Math.max(interval.opensAt, start);
        const closesAt = Math.min(interval.closesAt, validTo);
        if (opensAt < closesAt) intervals.push({ opensAt, closesAt });
      }
    }
  });
  return intervals;
}

/** Splits the shift that begins on a day at midnight, and omits the parts on holidays. */
function splitByDay(
  day: Temporal.PlainDate,
  { start_time, end_time }: { readonly start_time: string; readonly end_time: string },
  timeZone: string,
  holidays: ReadonlySet<string>,
): OpenInterval[] {
  const nextDay = day.add({ days: 1 });
  const opens = parseTime(start_time);
  const closes = parseTime(end_time);
  const toMs = (date: Temporal.PlainDate, time: Temporal.PlainTime) => toInstant(date.toPlainDateTime(time), timeZone);
  const midnight = new Temporal.PlainTime();
  const isOvernight = Temporal.PlainTime.compare(closes, opens) <= 0;
  const parts = isOvernight
    ? [
        { date: day, opensAt: toMs(day, opens), closesAt: toMs(nextDay, midnight) },
        { date: nextDay, opensAt: toMs(nextDay, midnight), closesAt: toMs(nextDay, closes) },
      ]
    : [{ date: day, opensAt: toMs(day, opens), closesAt: toMs(day, closes) }];
  return parts.filter(({ date, opensAt, closesAt }) => opensAt < closesAt && !holidays.has(date.toString()));
}

/** A local time that occurs twice is the second occurrence. */
function toInstant(time: Temporal.PlainDateTime, timeZone: string): number {
  return time.toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds;
}

/** Parses a time on a 12-hour clock, such as `8:00 am` or `08:00:00 am`. */
function parseTime(text: string): Temporal.PlainTime {
  const [, hour, minute, half] = /^(\d{1,2}):(\d\d)(?::\d\d)? (am|pm)$/.exec(text) ?? [];
  if (hour === undefined) throw new RangeError(`${text} is not a time on a 12-hour clock.`);
  return new Temporal.PlainTime((Number(hour) % 12) + (half === 'pm' ? 12 : 0), Number(minute));
}

function isAfter(a: Temporal.PlainDate, b: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(a, b) > 0;
}

/** Joins intervals that overlap or follow each other without a gap. */
export function joinIntervals(intervals: readonly OpenInterval[]): OpenInterval[] {
  const joined: OpenInterval[] = [];
  for (const interval of intervals.toSorted((a, b) => a.opensAt - b.opensAt)) {
    const last = joined.at(-1);
    if (last === undefined || interval.opensAt > last.closesAt) joined.push(interval);
    else joined.splice(-1, 1, { opensAt: last.opensAt, closesAt: Math.max(last.closesAt, interval.closesAt) });
  }
  return joined;
}

/** Sums the open time between two times, in milliseconds, by visiting every interval. */
export function measureOpenTime(intervals: readonly OpenInterval[], from: number, to: number): number {
  let sum = 0;
  for (const { opensAt, closesAt } of intervals) sum += Math.max(0, Math.min(closesAt, to) - Math.max(opensAt, from));
  return sum;
}
