import { Cron } from 'croner';
import type { CronSchedule } from '../database/schema/index.ts';

/** The `next_run_at` of a schedule that has no next run. */
export const NO_NEXT_RUN = new Date('9999-12-31T00:00:00Z');

/**
 * The maximum jitter: pipelines with the same expression start at different times within this span.
 */
const JITTER_MS = 60_000;
/**
 * The number of upcoming run times among which runs that are too close together are searched. A day
 * has at most 288 run times at intervals of five minutes, the smallest minimum that an operator can
 * set. More run times therefore cover all combinations of the minute and hour fields.
 */
const SAMPLED_RUNS = 300;
const FIELDS = 5;

/** A field of a schedule that is invalid. */
interface ScheduleProblem {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * Computes the time of the next run of a pipeline.
 * @param pipelineId determines the jitter.
 * @returns null when there is no next run.
 */
export function getNextRun(schedule: CronSchedule, after: Date, pipelineId: string): Date | null {
  const jitterMs = Number.parseInt(pipelineId.replaceAll('-', '').slice(-6), 16) % JITTER_MS;
  // Subtract the jitter first, so that a run that was delayed by the jitter is not returned again.
  const next = createCron(schedule).nextRun(new Date(after.getTime() - jitterMs));
  return next === null ? null : new Date(next.getTime() + jitterMs);
}

/**
 * Finds the problems of a schedule: an unknown time zone, an invalid expression, and runs that are
 * too frequent or never happen.
 * @param schedule may lack one field. The other field is still checked.
 * @param minutesMin the minimum number of minutes between two runs.
 */
export function findScheduleProblems(
  { cron, time_zone }: Partial<CronSchedule>,
  minutesMin: number,
): readonly ScheduleProblem[] {
  const isZoneKnown =
    time_zone !== undefined && (time_zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(time_zone));
  const zoneProblems =
    time_zone === undefined || isZoneKnown
      ? []
      : [
          createProblem(
            'time_zone',
            `"${time_zone}" is not a time zone. Use a name of the IANA database, such as Europe/Berlin or UTC.`,
          ),
        ];
  if (cron === undefined) return zoneProblems;
  const problem = findCronProblem({ cron, time_zone: isZoneKnown ? time_zone : 'UTC' }, minutesMin);
  return problem === null ? zoneProblems : [createProblem('cron', problem), ...zoneProblems];
}

function createProblem(field: 'cron' | 'time_zone', detail: string): ScheduleProblem {
  return { pointer: `/schedule/${field}`, detail: `schedule.${field}: ${detail}` };
}

function findCronProblem(schedule: CronSchedule, minutesMin: number): string | null {
  if (schedule.cron.trim().split(/\s+/).length !== FIELDS)
    return 'five fields are required: minute, hour, day of the month, month, day of the week.';
  let times: Date[];
  try {
    times = createCron(schedule).nextRuns(SAMPLED_RUNS);
  } catch (error) {
    return `the expression is invalid: ${error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'unknown'}`;
  }
  if (times.length === 0) return 'the expression never matches.';
  const tooClose = times.findIndex(
    (time, i) => i > 0 && time.getTime() - (times[i - 1] as Date).getTime() < minutesMin * 60_000,
  );
  return tooClose > 0 ? `two runs would be less than ${minutesMin} minutes apart.` : null;
}

function createCron({ cron, time_zone }: CronSchedule): Cron {
  // croner's default follows the cron standard: if a schedule restricts both the day of the month
  // and the day of the week, a day that matches either of them is included.
  return new Cron(cron.trim(), { timezone: time_zone, paused: true, mode: '5-part' });
}
