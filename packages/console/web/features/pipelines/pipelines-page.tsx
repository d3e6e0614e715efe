import { Button, Group, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { destinationsQuery, latestRunsQuery, pipelinesQuery, usageQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton, usePermission } from '../../components/guarded.tsx';
import { Icon } from '../../components/icon.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { formatCount } from '../../format/numbers.ts';
import { hasDraft } from '../wizard/draft-storage.ts';
import { PipelineFigures } from './pipeline-figures.tsx';
import { groupRunsByPipeline } from './pipeline-state.ts';
import { PipelinesTable } from './pipelines-table.tsx';

type Pipeline = Schemas['Pipeline'];
type StatusFilter = 'all' | Schemas['PipelineStatus'];

export function PipelinesPage() {
  const [status, setStatus] = useState<StatusFilter>('all');
  const query = useInfiniteQuery(pipelinesQuery(status === 'all' ? {} : { status }));
  const pipelines = useMemo(() => query.data?.pages.flatMap(({ data }) => data) ?? [], [query.data]);
  const isFirstUse = query.data !== undefined && pipelines.length === 0 && status === 'all';
  return (
    <>
      <PageHeader title="Pipelines" help="pipelines" actions={isFirstUse ? null : <CreateButton />} />
      <QueryView query={query as never}>
        {() =>
          isFirstUse ? (
            <FirstUse />
          ) : (
            <PipelineList
              pipelines={pipelines}
              status={status}
              onStatusChange={setStatus}
              {...(query.hasNextPage ? { loadMore: () => void query.fetchNextPage() } : {})}
            />
          )
        }
      </QueryView>
    </>
  );
}

function CreateButton() {
  const { isAllowed } = usePermission('manage_pipelines');
  if (!isAllowed) return <GuardedButton permission="manage_pipelines">Create pipeline</GuardedButton>;
  return (
    <Button component={Link} to="/pipelines/new" leftSection={<Icon name="plus" size={16} />}>
      {hasDraft() ? 'Continue set-up' : 'Create pipeline'}
    </Button>
  );
}

function FirstUse() {
  return (
    <Card>
      <Empty title="Replicate your first Freshdesk account" icon="pipelines" action={<CreateButton />}>
        A pipeline reads a Freshdesk account and keeps tables in your PostgreSQL warehouse complete and up to date. You
        need the API key of a Freshdesk agent and a PostgreSQL database. The set-up takes about five minutes, and shows
        the cost before anything is read.
      </Empty>
    </Card>
  );
}

interface PipelineListProps {
  readonly pipelines: readonly Pipeline[];
  readonly status: StatusFilter;
  readonly onStatusChange: (status: StatusFilter) => void;
  /** Absent: all pipelines are loaded. */
  readonly loadMore?: () => void;
}

function PipelineList({ pipelines, status, onStatusChange, loadMore }: PipelineListProps) {
  const [search, setSearch] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const { data: runs = [] } = useQuery(latestRunsQuery());
  const { data: usage = [] } = useQuery(usageQuery());
  const { data: destinations = [] } = useQuery(destinationsQuery());
  const runsByPipeline = useMemo(() => groupRunsByPipeline(runs), [runs]);
  const shown = pipelines.filter((p) => matches(p, search));
  return (
    <Stack>
      <PipelineFigures pipelines={pipelines} runsByPipeline={runsByPipeline} usage={usage} />
      <Card>
        <Group justify="space-between" mb="xs" gap="sm">
          <Group gap="sm">
            <TextInput
              aria-label="Search pipelines"
              placeholder="Search by name or account"
              leftSection={<Icon name="search" size={16} />}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
              w={240}
            />
            <SegmentedControl
              aria-label="Status"
              data={[
                { value: 'all', label: 'All' },
                { value: 'active', label: 'Active' },
                { value: 'paused', label: 'Paused' },
              ]}
              value={status}
              onChange={(value) => onStatusChange(value as StatusFilter)}
            />
          </Group>
          <BulkActions selected={selected} onDone={() => setSelected(new Set())} />
        </Group>
        {shown.length === 0 ? (
          <Empty title="No pipeline matches" icon="search">
            Change the search or the status.
          </Empty>
        ) : (
          <PipelinesTable
            pipelines={shown}
            runsByPipeline={runsByPipeline}
            usage={usage}
            destinations={destinations}
            selected={selected}
            onSelect={setSelected}
          />
        )}
        {loadMore ? (
          <Group justify="center" mt="md">
            <Button variant="default" onClick={loadMore}>
              Load more pipelines
            </Button>
          </Group>
        ) : null}
      </Card>
    </Stack>
  );
}

function matches({ name, source }: Pipeline, search: string): boolean {
  const text = search.trim().toLowerCase();
  return text === '' || name.toLowerCase().includes(text) || source.subdomain.includes(text);
}

function BulkActions({ selected, onDone }: { readonly selected: ReadonlySet<string>; readonly onDone: () => void }) {
  const each = (path: '/v1/pipelines/{id}/pause' | '/v1/pipelines/{id}/resume') => () =>
    Promise.all([...selected].map((id) => api().post(path, { params: { path: { id } } })));
  const count = formatCount(selected.size, 'pipeline');
  const pause = useAction(each('/v1/pipelines/{id}/pause'), { done: `Paused ${count}.`, onDone });
  const resume = useAction(each('/v1/pipelines/{id}/resume'), { done: `Resumed ${count}.`, onDone });
  if (selected.size === 0) return null;
  return (
    <Group gap="xs">
      <span>{count} selected</span>
      <GuardedButton permission="run" variant="default" loading={pause.isPending} onClick={() => pause.mutate()}>
        Pause
      </GuardedButton>
      <GuardedButton permission="run" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
        Resume
      </GuardedButton>
    </Group>
  );
}
