import { Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { deadJobsQuery, systemQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card, Figure, PageHeader } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatCount, formatDuration, formatNumber } from '../../format/numbers.ts';

type System = Schemas['SystemStatus'];
type DeadJob = Schemas['DeadJob'];

/** The processes, the queues and the dead jobs of the deployment. */
export function SystemPage() {
  const query = useQuery(systemQuery());
  return (
    <>
      <PageHeader title="System" help="monitoring" description="The processes and queues of this deployment." />
      <QueryView query={query}>
        {(system) => (
          <Stack>
            <Health system={system} />
            <Figures system={system} />
            <Card title="Processes" description="Processes that sent a heartbeat in the last hour">
              <DataTable label="Processes" columns={PROCESS_COLUMNS} rows={system.processes} getKey={(p) => p.id} />
            </Card>
            <Card title="Queues">
              {system.queues.length === 0 ? (
                <Empty title="The queues are empty" icon="success" />
              ) : (
                <DataTable label="Queues" columns={QUEUE_COLUMNS} rows={system.queues} getKey={(q) => q.queue} />
              )}
            </Card>
            <DeadJobs />
          </Stack>
        )}
      </QueryView>
    </>
  );
}

const REQUIRED_PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler'];

function Health({ system }: { readonly system: System }) {
  const alive = new Set(system.processes.filter(({ state }) => state === 'alive').map(({ name }) => name));
  const missing = REQUIRED_PROCESSES.filter((name) => !alive.has(name));
  if (missing.length > 0)
    return (
      <Notice tone="failed">
        <strong>No process is alive of the kind {missing.join(' and ')}.</strong> Start it: other processes do not take
        over its work.
      </Notice>
    );
  if (system.dead_jobs > 0)
    return (
      <Notice tone="attention">
        <strong>{formatCount(system.dead_jobs, 'job')} failed permanently.</strong> Read the reasons below, correct the
        cause, and retry.
      </Notice>
    );
  return (
    <Notice tone="good">
      <strong>All kinds of processes are alive.</strong>{' '}
      {formatCount(system.processes.filter((p) => p.state === 'alive').length, 'process', 'processes')} sent a heartbeat
      in the last seconds.
    </Notice>
  );
}

function Figures({ system }: { readonly system: System }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      <Figure label="Open runs" value={formatNumber(system.open_runs)} />
      <Figure
        label="Waiting to be loaded"
        value={formatBytes(system.unloaded_bytes)}
        note={formatCount(system.unloaded_batches, 'batch', 'batches')}
        definition="Records that were read, and are stored until a load worker has written them to the warehouse."
      />
      <Figure
        label="Rejected records"
        value={formatNumber(system.rejected_records)}
        note={formatCount(system.failed_units, 'failed unit')}
      />
      <Figure label="Dead jobs" value={formatNumber(system.dead_jobs)} />
    </SimpleGrid>
  );
}

const PROCESS_COLUMNS: Column<Schemas['SystemProcess']>[] = [
  { title: 'Process', cell: (p) => <strong>{p.name}</strong> },
  { title: 'Status', cell: (p) => <Status value={p.state} /> },
  { title: 'Host', cell: (p) => `${p.host} (pid ${p.pid})` },
  { title: 'Started', cell: (p) => <Time value={p.started_at} /> },
  { title: 'Heartbeat', cell: (p) => <Time value={p.seen_at} /> },
  { title: 'CPU cores', isNumber: true, cell: (p) => (p.cpu === null ? '—' : formatNumber(p.cpu, 2)) },
  { title: 'Memory', isNumber: true, cell: (p) => (p.memory_bytes === null ? '—' : formatBytes(p.memory_bytes)) },
];

const QUEUE_COLUMNS: Column<Schemas['QueueDepth']>[] = [
  { title: 'Queue', cell: (q) => <strong>{q.queue}</strong> },
  { title: 'Ready', isNumber: true, cell: (q) => formatNumber(q.ready) },
  { title: 'Active', isNumber: true, cell: (q) => formatNumber(q.active) },
  { title: 'Deferred', isNumber: true, cell: (q) => formatNumber(q.deferred) },
  {
    title: 'Oldest job',
    isNumber: true,
    cell: (q) => (q.oldest_seconds === 0 ? '—' : formatDuration(q.oldest_seconds)),
  },
];

function DeadJobs() {
  const query = useQuery(deadJobsQuery());
  const [discarding, setDiscarding] = useState<DeadJob | null>(null);
  const retry = useAction(
    (job: DeadJob) => api().post('/v1/dead-jobs/{id}/redrive', { params: { path: { id: job.id } } }),
    {
      done: 'The job runs again.',
    },
  );
  return (
    <Card
      title="Dead jobs"
      description="Jobs that failed permanently. Nothing is lost: a retry continues where the job stopped."
    >
      <QueryView query={query} rows={2}>
        {(jobs) =>
          jobs.length === 0 ? (
            <Empty title="No dead jobs" icon="success" />
          ) : (
            <DataTable
              label="Dead jobs"
              rows={jobs}
              getKey={(j) => j.id}
              columns={[
                { title: 'Queue', cell: (j) => j.queue },
                { title: 'Reason', cell: (j) => <Text size="sm">{j.reason}</Text> },
                { title: 'Attempts', isNumber: true, cell: (j) => formatNumber(j.attempts) },
                { title: 'Failed', cell: (j) => <Time value={j.died_at} /> },
                {
                  title: 'Actions',
                  isTitleHidden: true,
                  cell: (j) => (
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <GuardedButton
                        permission="redrive"
                        variant="default"
                        size="compact-sm"
                        onClick={() => retry.mutate(j)}
                      >
                        Retry
                      </GuardedButton>
                      <GuardedButton
                        permission="redrive"
                        variant="default"
                        size="compact-sm"
                        onClick={() => setDiscarding(j)}
                      >
                        Discard
                      </GuardedButton>
                    </Group>
                  ),
                },
              ]}
            />
          )
        }
      </QueryView>
      {discarding ? (
        <ConfirmDialog
          title="Discard this job?"
          confirmLabel="Discard job"
          isDangerous
          onConfirm={() => api().delete('/v1/dead-jobs/{id}', { params: { path: { id: discarding.id } } })}
          onClose={() => setDiscarding(null)}
        >
          The job is deleted and does not run again.
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}
