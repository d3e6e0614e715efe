import { Button, Group, Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { runsQuery } from '../../api/queries.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Card, TextLink } from '../../components/page.tsx';
import { ProgressBar } from '../../components/progress.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time, useNow } from '../../components/time.tsx';
import { formatDuration, formatNumber } from '../../format/numbers.ts';
import { formatShort } from '../../format/times.ts';
import { sumObjects } from '../run/run-progress.ts';

type Run = Schemas['Run'];

const KINDS = ['sync', 'audit', 'refresh', 'replay', 'rebuild'] as const;
const STATUSES = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'] as const;

/** The runs of a pipeline, the latest first. */
export function RunsTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const [kind, setKind] = useState<Run['kind'] | null>(null);
  const [status, setStatus] = useState<Run['status'] | null>(null);
  const query = useInfiniteQuery(runsQuery(id, { ...(kind ? { kind } : {}), ...(status ? { status } : {}) }));
  const runs = query.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <Card
      title="Runs"
      actions={
        <Group gap="sm">
          <Select
            aria-label="Kind of run"
            placeholder="All kinds"
            data={toOptions(KINDS)}
            value={kind}
            onChange={(value) => setKind(value as Run['kind'] | null)}
            clearable
            w={140}
          />
          <Select
            aria-label="Status of run"
            placeholder="All statuses"
            data={toOptions(STATUSES)}
            value={status}
            onChange={(value) => setStatus(value as Run['status'] | null)}
            clearable
            w={150}
          />
        </Group>
      }
    >
      <QueryView query={query as never}>
        {() =>
          runs.length === 0 ? (
            <Empty title={kind || status ? 'No run matches' : 'No runs yet'} icon="play">
              {kind || status
                ? 'Change the filters.'
                : 'The first run starts a few seconds after the pipeline is created.'}
            </Empty>
          ) : (
            <DataTable label="Runs" columns={COLUMNS} rows={runs} getKey={(run) => run.id} minWidth={820} />
          )
        }
      </QueryView>
      {query.hasNextPage ? (
        <Group justify="center" mt="md">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Load older runs
          </Button>
        </Group>
      ) : null}
    </Card>
  );
}

const toOptions = (values: readonly string[]) =>
  values.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }));

const COLUMNS: Column<Run>[] = [
  { title: 'Started', cell: (run) => <RunLink run={run} /> },
  { title: 'Kind', cell: (run) => run.kind },
  { title: 'Trigger', cell: (run) => run.trigger },
  { title: 'Status', cell: (run) => <Status value={run.status} /> },
  { title: 'Duration', isNumber: true, cell: (run) => <Duration run={run} /> },
  { title: 'Read', isNumber: true, cell: (run) => formatNumber(sumObjects(run.objects).extracted) },
  { title: 'Loaded', isNumber: true, cell: (run) => formatNumber(sumObjects(run.objects).loaded) },
  {
    title: 'Repaired by audit',
    isNumber: true,
    cell: (run) =>
      run.kind === 'audit' ? formatNumber(run.objects.reduce((n, o) => n + (o.findings?.repaired ?? 0), 0)) : '—',
  },
  { title: 'Credits', isNumber: true, cell: (run) => formatNumber(sumObjects(run.objects).credits) },
];

function RunLink({ run }: { readonly run: Run }) {
  const now = useNow();
  return (
    <span title={run.created_at}>
      <TextLink to={`/runs/${run.id}`}>{formatShort(run.created_at, now)}</TextLink>
    </span>
  );
}

function Duration({ run }: { readonly run: Run }) {
  if (run.finished_at === null) return <ProgressBar label="the run" share={run.progress} />;
  if (run.started_at === null) return <Time value={null} />;
  return <>{formatDuration((Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000)}</>;
}
