import { Button, Group, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue, useInViewport } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type Ref, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { destinationsQuery, pipelineActivityQuery } from '../../api/queries.ts';
import { getPollInterval } from '../../api/query-client.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton, usePermission } from '../../components/guarded.tsx';
import { Icon } from '../../components/icon.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { PageButtons, useCursorPages } from '../../components/pages.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { formatCount } from '../../format/numbers.ts';
import { hasDraft } from '../wizard/draft-storage.ts';
import { PipelineFigures } from './pipeline-figures.tsx';
import { PipelinesTable } from './pipelines-table.tsx';

type StatusFilter = 'all' | Schemas['PipelineStatus'];

/** The time without key presses after which the search is sent. */
const SEARCH_DELAY_MS = 200;

export function PipelinesPage() {
  const [status, setStatus] = useState<StatusFilter>('all');
  const [search, setSearch] = useState('');
  const [text] = useDebouncedValue(search.trim(), SEARCH_DELAY_MS);
  const pages = useCursorPages();
  const { ref: listRef, inViewport: isListVisible } = useInViewport();
  const filter = { ...(status === 'all' ? {} : { status }), ...(text === '' ? {} : { search: text }) };
  const query = useQuery({
    ...pipelineActivityQuery(filter, pages.cursor),
    // A list is fetched again only while the user can see a part of it. Errors, and the page before
    // the first pipeline, contain no list.
    refetchInterval: (current) => {
      const { status: state, data } = current.state;
      const hasList = state === 'success' && data !== undefined && data.data.length > 0;
      return hasList && !isListVisible ? false : getPollInterval(current);
    },
  });
  const isFirstUse = query.data?.data.length === 0 && status === 'all' && text === '' && pages.cursor === null;
  return (
    <>
      <PageHeader title="Pipelines" help="pipelines" actions={isFirstUse ? null : <CreateButton />} />
      <QueryView query={query}>
        {({ data, next_cursor }) =>
          isFirstUse ? (
            <FirstUse />
          ) : (
            <PipelineList
              activities={data}
              search={search}
              onSearch={(value) => {
                setSearch(value);
                pages.reset();
              }}
              status={status}
              onStatusChange={(value) => {
                setStatus(value);
                pages.reset();
              }}
              listRef={listRef}
              pages={<PageButtons pages={pages} nextCursor={next_cursor} />}
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
  readonly activities: readonly Schemas['PipelineActivity'][];
  readonly search: string;
  readonly onSearch: (search: string) => void;
  readonly status: StatusFilter;
  readonly onStatusChange: (status: StatusFilter) => void;
  readonly listRef: Ref<HTMLDivElement>;
  readonly pages: ReactNode;
}

function PipelineList({ activities, search, onSearch, status, onStatusChange, listRef, pages }: PipelineListProps) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const { data: destinations = [] } = useQuery(destinationsQuery());
  return (
    <Stack>
      <PipelineFigures />
      <div ref={listRef}>
        <Card>
          <Group justify="space-between" mb="xs" gap="sm">
            <Group gap="sm">
              <TextInput
                aria-label="Search pipelines"
                placeholder="Search by name or account"
                leftSection={<Icon name="search" size={16} />}
                value={search}
                onChange={(event) => onSearch(event.currentTarget.value)}
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
          {activities.length === 0 ? (
            <Empty title="No pipeline matches" icon="search">
              Change the search or the status.
            </Empty>
          ) : (
            <PipelinesTable
              activities={activities}
              destinations={destinations}
              selected={selected}
              onSelect={setSelected}
            />
          )}
          {pages}
        </Card>
      </div>
    </Stack>
  );
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
