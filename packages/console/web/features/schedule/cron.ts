import { Cron } from 'croner';

export interface CronPreview {
  /** The next runs. Empty: the expression is invalid or never matches. */
  readonly times: readonly Date[];
  readonly error: string | null;
}

const FIELDS = 5;

/** Computes the next runs of a cron schedule, with the same rules as the scheduler. */
export function previewCron(cron: string, timeZone: string, count: number, after = new Date()): CronPreview {
  if (cron.trim().split(/\s+/).length !== FIELDS)
    return { times: [], error: 'Five fields are required: minute, hour, day of the month, month, day of the week.' };
  try {
    const schedule = new Cron(cron.trim(), { timezone: timeZone, paused: true, mode: '5-part' });
    const times = schedule.nextRuns(count, after);
    return { times, error: times.length === 0 ? 'The expression never matches.' : null };
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return { times: [], error: `The expression is invalid: ${message}` };
  }
}

/** Computes the next runs of a pipeline that runs at an interval. */
export function previewInterval(minutes: number, count: number, first: Date): Date[] {
  return Array.from({ length: count }, (_, i) => new Date(first.getTime() + i * minutes * 60_000));
}

/** The intervals that every deployment accepts, in minutes. */
export const INTERVALS = [30, 60, 120, 180, 240, 360, 480, 720, 1440];

export function formatInterval(minutes: number): string {
  if (minutes < 60) return `${minutes} minutes`;
  return minutes === 60 ? 'hour' : `${minutes / 60} hours`;
}
