import { Cron } from 'croner';
import type { CronSchedule } from '../database/schema.ts';

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

/**
 * Finds what is wrong with a schedule: its time zone, its expression, runs that come too often or never.
 * @param schedule may lack a field; the other one is checked all the same.
 */
export function findScheduleProblems(
  { cron, time_zone }: Partial<CronSchedule>,
  minutesMin: number,
): { readonly pointer: string; readonly detail: string }[] {
  const problem = (field: 'cron' | 'time_zone', why: string) => ({
    pointer: `/schedule/${field}`,
    detail: `schedule.${field}: ${why}`,
  });
  const isZoneKnown =
    time_zone !== undefined && (time_zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(time_zone));
  const zoneProblems =
    time_zone === undefined || isZoneKnown
      ? []
      : [problem('time_zone', `"${time_zone}" is no time zone of the IANA database, such as Europe/Berlin or UTC.`)];
  if (cron === undefined) return zoneProblems;
  const why = findCronProblem({ cron, time_zone: isZoneKnown ? time_zone : 'UTC' }, minutesMin);
  return why === null ? zoneProblems : [problem('cron', why), ...zoneProblems];
}

function findCronProblem(schedule: CronSchedule, minutesMin: number): string | null {
  if (schedule.cron.trim().split(/\s+/).length !== 5)
    return 'five fields are needed: minute, hour, day of the month, month, day of the week.';
  let times: Date[];
  try {
    times = opened(schedule).nextRuns(TIMES_LOOKED_AT);
  } catch (error) {
    return `it is not understood: ${error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'unknown'}`;
  }
  if (times.length === 0) return 'it never comes.';
  const close = times.findIndex(
    (time, i) => i > 0 && time.getTime() - (times[i - 1] as Date).getTime() < minutesMin * 60_000,
  );
  return close > 0 ? `runs would be less than ${minutesMin} minutes apart.` : null;
}

function opened({ cron, time_zone }: CronSchedule): Cron {
  // Standard semantics: a day fits by its date or by its weekday, where both are given.
  return new Cron(cron.trim(), { timezone: time_zone, paused: true, mode: '5-part' });
}
