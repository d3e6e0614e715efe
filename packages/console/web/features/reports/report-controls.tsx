import { Button, Group, Popover, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { addDays } from './days.ts';
import { findRangeProblem, formatPeriod, type Period } from './periods.ts';
import type { Grouping, Hours, RangeName, ReportSearch } from './report-search.ts';

interface ReportControlsProps {
  readonly search: ReportSearch;
  readonly onChange: (changes: ReportSearch) => void;
  readonly period: Period;
  readonly grouping: Grouping;
  readonly hours: Hours;
}

/** The choice of the period, of the intervals of charts, and of business or calendar hours. */
export function ReportControls({ search, onChange, period, grouping, hours }: ReportControlsProps) {
  return (
    <Group gap="sm" mb="md" align="center">
      <SegmentedControl
        aria-label="Period"
        data={[
          { value: '7d', label: '7 days' },
          { value: '30d', label: '30 days' },
          { value: 'quarter', label: 'Quarter' },
          ...(search.range === 'custom' ? [{ value: 'custom', label: 'Custom' }] : []),
        ]}
        value={search.range ?? '30d'}
        onChange={(value) => onChange({ range: value as RangeName })}
      />
      <CustomPeriod key={`${period.from} ${period.to}`} period={period} onChange={onChange} />
      <SegmentedControl
        aria-label="Interval of charts"
        data={[
          { value: 'day', label: 'Day' },
          { value: 'week', label: 'Week' },
          { value: 'month', label: 'Month' },
        ]}
        value={grouping}
        onChange={(value) => onChange({ by: value as Grouping })}
      />
      <SegmentedControl
        aria-label="Kind of hours"
        data={[
          { value: 'business', label: 'Business hours' },
          { value: 'calendar', label: 'Calendar hours' },
        ]}
        value={hours}
        onChange={(value) => onChange({ hours: value as Hours })}
      />
    </Group>
  );
}

interface CustomPeriodProps {
  readonly period: Period;
  readonly onChange: (changes: ReportSearch) => void;
}

/** A button with the days of the period, which opens the choice of other days. */
function CustomPeriod({ period, onChange }: CustomPeriodProps) {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [from, setFrom] = useState(period.from);
  const [to, setTo] = useState(addDays(period.to, -1));
  const [problem, setProblem] = useState<string | null>(null);
  const apply = () => {
    const found = findRangeProblem(from, to);
    setProblem(found);
    if (found !== null) return;
    close();
    onChange({ range: 'custom', from, to });
  };
  return (
    <Popover opened={isOpen} onDismiss={close} position="bottom-start" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button variant="default" onClick={toggle} aria-label={`Days: ${formatPeriod(period)}. Choose other days`}>
          {formatPeriod(period)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Custom period">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            apply();
          }}
        >
          <Stack gap="sm">
            <Group gap="sm" align="flex-start">
              <TextInput
                type="date"
                label="First day"
                value={from}
                onChange={(event) => setFrom(event.currentTarget.value)}
              />
              <TextInput
                type="date"
                label="Last day"
                value={to}
                onChange={(event) => setTo(event.currentTarget.value)}
              />
            </Group>
            {problem === null ? null : (
              <Text size="sm" c="var(--mantine-color-error)" role="alert">
                {problem}
              </Text>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit">Show period</Button>
            </Group>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
