import { Group, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { formatInterval, INTERVALS, previewCron, previewInterval } from './cron.ts';

interface ScheduleValue {
  readonly frequencyMinutes: number;
  /** Null: the pipeline runs at an interval. */
  readonly schedule: { readonly cron: string; readonly time_zone: string } | null;
}

interface ScheduleFieldsProps extends ScheduleValue {
  readonly onChange: (value: ScheduleValue) => void;
  /** The time of the next run. Absent: the pipeline is new, and its first run starts at once. */
  readonly nextRunAt?: string;
}

const CRON_EXAMPLES = [
  { label: 'Every hour, on the hour', value: '0 * * * *' },
  { label: 'Every day at 06:15', value: '15 6 * * *' },
  { label: 'Monday to Friday at 06:15', value: '15 6 * * 1-5' },
  { label: 'Monday to Friday, hourly from 8 to 18', value: '0 8-18 * * 1-5' },
];
const PREVIEWED_RUNS = 5;

/** The fields of a schedule, with a preview of the next runs. */
export function ScheduleFields({ frequencyMinutes, schedule, onChange, nextRunAt }: ScheduleFieldsProps) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Stack gap="md">
      <SegmentedControl
        aria-label="Kind of schedule"
        value={schedule === null ? 'interval' : 'cron'}
        onChange={(kind) =>
          onChange({ frequencyMinutes, schedule: kind === 'cron' ? { cron: '15 6 * * 1-5', time_zone: zone } : null })
        }
        data={[
          { value: 'interval', label: 'At an interval' },
          { value: 'cron', label: 'At set times (cron)' },
        ]}
        maw={360}
      />
      {schedule === null ? (
        <Select
          label="Sync frequency"
          description="Each sync reads only the changes since the last sync."
          data={listIntervals(frequencyMinutes)}
          value={String(frequencyMinutes)}
          onChange={(value) => onChange({ frequencyMinutes: Number(value ?? frequencyMinutes), schedule: null })}
          allowDeselect={false}
          maw={360}
        />
      ) : (
        <CronFields schedule={schedule} onChange={(next) => onChange({ frequencyMinutes, schedule: next })} />
      )}
      <NextRuns frequencyMinutes={frequencyMinutes} schedule={schedule} {...(nextRunAt ? { nextRunAt } : {})} />
    </Stack>
  );
}

/**
 * The current interval is offered even if it is unusual, because a deployment can allow shorter
 * intervals.
 */
function listIntervals(current: number) {
  return [...new Set([...INTERVALS, current])]
    .sort((a, b) => a - b)
    .map((minutes) => ({ value: String(minutes), label: `Every ${formatInterval(minutes)}` }));
}

type CronSchedule = NonNullable<ScheduleValue['schedule']>;

function CronFields({
  schedule,
  onChange,
}: {
  readonly schedule: CronSchedule;
  readonly onChange: (s: CronSchedule) => void;
}) {
  const { error } = previewCron(schedule.cron, schedule.time_zone, 1);
  return (
    <Stack gap="sm">
      <Group align="flex-start" gap="sm">
        <TextInput
          label="Cron expression"
          description="Minute, hour, day, month, weekday"
          value={schedule.cron}
          onChange={(event) => onChange({ ...schedule, cron: event.currentTarget.value })}
          error={error}
          w={280}
          classNames={{ input: 'object-name' }}
        />
        <Select
          label="Time zone"
          description="Runs follow daylight saving time"
          data={listTimeZones(schedule.time_zone)}
          value={schedule.time_zone}
          onChange={(value) => onChange({ ...schedule, time_zone: value ?? 'UTC' })}
          searchable
          limit={100}
          w={240}
        />
      </Group>
      <Select
        label="Examples"
        placeholder="Choose an example"
        data={CRON_EXAMPLES}
        value={CRON_EXAMPLES.some(({ value }) => value === schedule.cron) ? schedule.cron : null}
        onChange={(cron) => cron !== null && onChange({ ...schedule, cron })}
        maw={360}
      />
    </Stack>
  );
}

function listTimeZones(current: string): string[] {
  return [...new Set(['UTC', current, ...Intl.supportedValuesOf('timeZone')])];
}

function NextRuns({ frequencyMinutes, schedule, nextRunAt }: ScheduleValue & { readonly nextRunAt?: string }) {
  const times =
    schedule === null
      ? previewInterval(frequencyMinutes, PREVIEWED_RUNS, nextRunAt ? new Date(nextRunAt) : new Date())
      : previewCron(schedule.cron, schedule.time_zone, PREVIEWED_RUNS).times;
  if (times.length === 0) return null;
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <div>
      <Text size="sm" fw={600} id="next-runs">
        Next runs, in your time zone ({zone})
      </Text>
      <ul className="plain tabular" aria-labelledby="next-runs">
        {times.map((time, i) => (
          <li key={time.getTime()} title={time.toISOString()}>
            {schedule === null && i === 0 && nextRunAt === undefined ? 'Now: the first sync' : format.format(time)}
          </li>
        ))}
      </ul>
    </div>
  );
}
