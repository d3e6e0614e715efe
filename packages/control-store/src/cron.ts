import { AppError } from '@freshet/contracts';
import { Cron } from 'croner';
import type { CronSchedule } from './schema.ts';

/** For a schedule whose time never comes again. */
export const NEVER = new Date('9999-12-31T00:00:00Z');

/** Pipelines of one expression do not all start in the same second: each has a moment of its own within this. */
const JITTER_MS = 60_000;
/** Times that are looked at to find how close two may be: an expression of minutes and hours has shown its pattern by then. */
const TIMES_LOOKED_AT = 100;

/**
 * When a pipeline runs next.
 * @param pipelineId gives it its moment.
 * @returns null: never again.
 */
export function nextRun(schedule: CronSchedule, after: Date, pipelineId: string): Date | null {
  const jitter = Number.parseInt(pipelineId.replaceAll('-', '').slice(-6), 16) % JITTER_MS;
  // A moment that has been jittered is after its own minute.
  const next = opened(schedule).nextRun(new Date(after.getTime() - jitter));
  return next === null ? null : new Date(next.getTime() + jitter);
}

/** @throws AppError `invalid_input` for what is no expression or no time zone, comes too often, or never comes. */
export function checkCron(schedule: CronSchedule, minutesMin: number): void {
  const refuse = (field: 'cron' | 'time_zone', why: string) =>
    new AppError('invalid_input', `schedule.${field}: ${why}`, { context: { pointer: `/schedule/${field}` } });
  if (!Intl.supportedValuesOf('timeZone').includes(schedule.time_zone) && schedule.time_zone !== 'UTC') {
    throw refuse('time_zone', `"${schedule.time_zone}" is no time zone of the IANA database, such as Europe/Berlin or UTC.`);
  }
  if (schedule.cron.trim().split(/\s+/).length !== 5) throw refuse('cron', 'five fields are needed: minute, hour, day of the month, month, day of the week.');
  let times: Date[];
  try {
    times = opened(schedule).nextRuns(TIMES_LOOKED_AT);
  } catch (error) {
    throw refuse('cron', `it is not understood: ${error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'unknown'}`);
  }
  if (times.length === 0) throw refuse('cron', 'it never comes.');
  const close = times.findIndex((time, i) => i > 0 && time.getTime() - (times[i - 1] as Date).getTime() < minutesMin * 60_000);
  if (close > 0) throw refuse('cron', `runs would be less than ${minutesMin} minutes apart.`);
}

function opened({ cron, time_zone }: CronSchedule): Cron {
  // Standard semantics: a day fits by its date or by its weekday, where both are given.
  return new Cron(cron.trim(), { timezone: time_zone, paused: true, mode: '5-part' });
}
