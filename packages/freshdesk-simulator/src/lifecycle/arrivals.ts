import type { RandomSource } from './random-source.ts';
import { DAY, HOUR, MINUTE } from './times.ts';

/** The relative number of tickets by weekday, from Sunday. */
const WEEKDAY_WEIGHTS = [0.25, 1, 0.95, 0.9, 0.85, 0.75, 0.3];
/** The relative number of tickets by hour of the day. */
const HOUR_WEIGHTS = [
  0.06, 0.04, 0.03, 0.03, 0.04, 0.08, 0.2, 0.45, 0.8, 1, 0.98, 0.9, 0.7, 0.8, 0.9, 0.85, 0.75, 0.6, 0.45, 0.35, 0.3,
  0.22, 0.15, 0.1,
];

/**
 * Generates the times at which tickets are created. Most tickets are created in the working hours
 * of a time zone.
 */
export class Arrivals {
  readonly #format: Intl.DateTimeFormat;
  /** The offset of the time zone from UTC at noon of a UTC day, in milliseconds. */
  readonly #offsets = new Map<number, number>();

  /** @param timeZone an IANA name. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  }

  /** Returns times in milliseconds, in ascending order, between two times. */
  generate(random: RandomSource, count: number, from: number, to: number): number[] {
    return Array.from({ length: count }, () => this.#pickTime(random, from, to)).sort((a, b) => a - b);
  }

  #pickTime(random: RandomSource, from: number, to: number): number {
    for (;;) {
      const at = from + random.nextInt(to - from);
      const local = at + this.#getOffset(at);
      const weekday = (Math.floor(local / DAY) + 4) % 7;
      const hour = Math.floor((local % DAY) / HOUR);
      if (random.chance((WEEKDAY_WEIGHTS[weekday] as number) * (HOUR_WEIGHTS[hour] as number))) return at;
    }
  }

  #getOffset(at: number): number {
    const day = Math.floor(at / DAY);
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      const parts = this.#format.formatToParts(day * DAY + DAY / 2);
      const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
      const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
      offset = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE;
      this.#offsets.set(day, offset);
    }
    return offset;
  }
}
