/// <reference lib="esnext.temporal" />

/** The days of a time zone. */
export class LocalDays {
  /** An IANA name. */
  readonly timeZone: string;

  constructor(timeZone: string) {
    this.timeZone = timeZone;
  }

  /** Returns the day of a time, as `YYYY-MM-DD`. */
  toDay(ms: number): string {
    return this.toDate(ms).toString();
  }

  toDate(ms: number): Temporal.PlainDate {
    return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(this.timeZone).toPlainDate();
  }

  /** Returns the end of a day, in milliseconds. */
  toEnd(day: Temporal.PlainDate): number {
    return day.add({ days: 1 }).toZonedDateTime(this.timeZone).epochMilliseconds;
  }
}
