import { Group, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { catalogQuery } from '../../api/queries.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Card } from '../../components/page.tsx';
import { ProgressBar } from '../../components/progress.tsx';
import { useNow } from '../../components/time.tsx';
import { formatCount, formatDuration, formatNumber, formatPercent } from '../../format/numbers.ts';
import { formatHistorySince, formatRelative } from '../../format/times.ts';
import { describeWork, getCreditRate, getObjectTone, isOpen, sortObjects, sumObjects } from './run-progress.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

interface LiveProgressProps {
  readonly run: Run;
  readonly isFirst: boolean;
}

/** The progress of an open run: one sentence, one bar, and the objects that are under way. */
export function LiveProgress({ run, isFirst }: LiveProgressProps) {
  const now = useNow();
  const totals = sumObjects(run.objects);
  const title = isFirst
    ? describeFirstSync(run)
    : run.kind === 'audit'
      ? 'An audit compares the warehouse with Freshdesk'
      : 'A sync reads the latest changes';
  return (
    <Card aria-label="Progress">
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="lg">
        <Stack gap={2} flex={1} miw={0}>
          <Title order={2}>{title}</Title>
          <Text size="sm" c="dimmed">
            {describeTimes(run, now)}
          </Text>
          <div className="spaced">
            <ProgressBar label="the run" share={run.progress} isLarge />
          </div>
        </Stack>
        <Stack gap={0} align="flex-end">
          <Text className="figure">{run.progress === null ? '—' : formatPercent(run.progress)}</Text>
          <Text size="sm" c="dimmed" className="tabular nowrap">
            {formatCount(totals.extracted, 'record')}
          </Text>
        </Stack>
      </Group>
      <ObjectProgress run={run} now={now} />
    </Card>
  );
}

function describeFirstSync(run: Run): string {
  const complete = run.objects.filter((o) => o.status === 'succeeded').length;
  return `First sync: ${complete} of ${formatCount(run.objects.length, 'table')} complete`;
}

/** "Started 3 min ago · about 2 min left · 320 credits a minute". */
function describeTimes(run: Run, now: number): string {
  if (run.started_at === null)
    return `Queued ${formatRelative(run.created_at, now)}: a worker starts the run in a moment.`;
  const rate = getCreditRate(run, now);
  const left = run.estimated_finished_at === null ? null : (Date.parse(run.estimated_finished_at) - now) / 1000;
  return [
    `Started ${formatRelative(run.started_at, now)}`,
    describeTimeLeft(left, run.progress),
    ...(rate === null ? [] : [`${formatNumber(rate)} credits a minute`]),
  ].join(' · ');
}

/** A share from which on a run is almost done. */
const ALMOST_DONE = 0.9;

/** At the start of a run, its estimated end can already have passed. It is then not displayed. */
function describeTimeLeft(seconds: number | null, progress: number | null): string {
  if (seconds !== null && seconds > 1) return `about ${formatDuration(seconds)} left`;
  return progress !== null && progress >= ALMOST_DONE ? 'almost done' : 'the remaining time is not known yet';
}

function ObjectProgress({ run, now }: { readonly run: Run; readonly now: number }) {
  const [isComplete, setComplete] = useState(false);
  const { data: catalog = [] } = useQuery(catalogQuery());
  const parents = useMemo(
    () => new Map(catalog.flatMap(({ name, parent }) => (parent === null ? [] : [[name, parent] as const]))),
    [catalog],
  );
  const sorted = sortObjects(run.objects);
  const shown = isComplete
    ? sorted
    : sorted.filter((o) => isOpen(o) || o.status === 'failed' || o.status === 'partial').slice(0, 8);
  const hidden = sorted.length - shown.length;
  const columns: Column<ObjectRun>[] = [
    { title: 'Object', cell: (o) => <span className="object-name">{o.object}</span> },
    {
      title: 'Progress',
      width: '32%',
      cell: (o) => <ProgressBar label={o.object} share={isOpen(o) ? o.progress : 1} tone={getObjectTone(o)} />,
    },
    { title: 'History since', cell: (o) => formatHistorySince(o.complete_back_to) },
    { title: 'Loaded', isNumber: true, cell: (o) => formatNumber(o.records_loaded + o.records_unchanged) },
    { title: 'Credits', isNumber: true, cell: (o) => formatNumber(o.credits_used) },
    { title: 'State', cell: (o) => describeWork(o, run, parents, now) },
  ];
  return (
    <>
      <DataTable label="Progress of objects" columns={columns} rows={shown} getKey={(o) => o.object} minWidth={720} />
      {hidden > 0 || isComplete ? (
        <Text size="sm" c="dimmed" mt="xs">
          {isComplete ? 'All objects are shown' : `${formatCount(hidden, 'more object')}`} ·{' '}
          <UnstyledButton className="text-button" onClick={() => setComplete(!isComplete)}>
            {isComplete ? 'show fewer' : 'show all'}
          </UnstyledButton>
        </Text>
      ) : null}
    </>
  );
}
