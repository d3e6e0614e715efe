import { Button, Group, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { catalogQuery, latestRunsQuery, pipelineObjectsQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SideDrawer } from '../../components/dialog.tsx';
import { usePermission } from '../../components/guarded.tsx';
import { Icon } from '../../components/icon.tsx';
import { Card } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount } from '../../format/numbers.ts';
import { formatHistorySince } from '../../format/times.ts';
import { groupObjects, MAIN_GROUPS } from '../objects/groups.ts';
import { ObjectDrawer } from '../objects/object-drawer.tsx';
import { isOpen } from '../run/run-progress.ts';

type PipelineObject = Schemas['PipelineObject'];

/** The objects of a pipeline: their selection, freshness and availability. */
export function ObjectsTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const query = useQuery(pipelineObjectsQuery(id));
  return <QueryView query={query}>{(objects) => <ObjectList pipelineId={id} objects={objects} />}</QueryView>;
}

function ObjectList({
  pipelineId,
  objects,
}: {
  readonly pipelineId: string;
  readonly objects: readonly PipelineObject[];
}) {
  const [search, setSearch] = useState('');
  const [onlyIncluded, setOnlyIncluded] = useState(true);
  const [openName, setOpenName] = useState<string | null>(null);
  const { data: catalog = [] } = useQuery(catalogQuery());
  const { data: runs = [] } = useQuery(latestRunsQuery(pipelineId));
  const toggle = useToggle(pipelineId);
  const titles = new Map(catalog.map(({ name, title }) => [name, title]));
  const running = new Set(
    runs.filter((r) => r.finished_at === null).flatMap((r) => r.objects.filter(isOpen).map((o) => o.object)),
  );
  const included = objects.filter((o) => o.included).length;
  const text = search.trim().toLowerCase();
  const shown = objects.filter(
    (o) =>
      (!onlyIncluded || o.included) &&
      (text === '' || o.object.includes(text) || (titles.get(o.object) ?? '').toLowerCase().includes(text)),
  );
  const opened = objects.find((o) => o.object === openName);
  return (
    <Card
      title={`${included} of ${formatCount(objects.length, 'object')} included`}
      actions={
        <Group gap="md">
          <Switch
            label="Only included"
            checked={onlyIncluded}
            onChange={(event) => setOnlyIncluded(event.currentTarget.checked)}
          />
          <TextInput
            aria-label="Search objects"
            placeholder="Search objects"
            leftSection={<Icon name="search" size={16} />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        </Group>
      }
    >
      {shown.length === 0 ? (
        <Empty title="No object matches" icon="search" />
      ) : (
        <DataTable
          label="Objects"
          columns={buildColumns({ titles, running, toggle, onOpen: setOpenName })}
          groups={groupObjects(shown, (o) => o.object).map((group) => describeGroup(group, text !== ''))}
          getKey={(o) => o.object}
          minWidth={860}
        />
      )}
      <SideDrawer
        opened={opened !== undefined}
        onClose={() => setOpenName(null)}
        title={opened ? (titles.get(opened.object) ?? opened.object) : ''}
      >
        {opened ? <ObjectDrawer pipelineId={pipelineId} object={opened} /> : null}
      </SideDrawer>
    </Card>
  );
}

function describeGroup(
  { title, rows }: { readonly title: string; readonly rows: readonly PipelineObject[] },
  isSearch: boolean,
) {
  const included = rows.filter((o) => o.included);
  const healthy = included.filter((o) => o.availability === 'available' && o.stale_since === null);
  const isFine = healthy.length === included.length;
  return {
    title,
    rows,
    summary: `${included.length} included, ${healthy.length} available and on time`,
    isFolded: isFine && !isSearch && !MAIN_GROUPS.includes(title),
  };
}

/**
 * Includes or excludes an object. The switch moves at once, and moves back if the request fails.
 */
function useToggle(pipelineId: string) {
  const queryClient = useQueryClient();
  const key = pipelineObjectsQuery(pipelineId).queryKey;
  return useAction(
    async ({ object, included }: { readonly object: string; readonly included: boolean }) => {
      const before = queryClient.getQueryData(key);
      queryClient.setQueryData(key, (list) => list?.map((o) => (o.object === object ? { ...o, included } : o)));
      try {
        return await api().patch('/v1/pipelines/{id}/objects/{object}', {
          params: { path: { id: pipelineId, object } },
          body: { included },
        });
      } catch (error) {
        queryClient.setQueryData(key, before);
        throw error;
      }
    },
    {
      done: ({ object, included }) =>
        included ? `${object} is read from the next run on.` : `${object} is no longer read. Its table stays.`,
    },
  );
}

interface ColumnOptions {
  readonly titles: ReadonlyMap<string, string>;
  readonly running: ReadonlySet<string>;
  readonly toggle: ReturnType<typeof useToggle>;
  readonly onOpen: (name: string) => void;
}

function buildColumns({ titles, running, toggle, onOpen }: ColumnOptions): Column<PipelineObject>[] {
  return [
    {
      title: 'Object',
      cell: (o) => (
        <>
          <Text fw={550}>{titles.get(o.object) ?? o.object}</Text>
          <Text size="sm" c="dimmed" className="object-name">
            {o.table}
          </Text>
        </>
      ),
    },
    { title: 'Status', cell: (o) => <ObjectStatus object={o} isRunning={running.has(o.object)} /> },
    { title: 'Freshness', cell: (o) => (o.included ? <Time value={o.complete_as_of} format="age" /> : '—') },
    { title: 'History since', cell: (o) => formatHistorySince(o.complete_back_to) },
    {
      title: 'Options',
      cell: (o) =>
        [
          o.detail ? 'all fields' : '',
          o.history ? 'history' : '',
          Object.keys(o.columns).length > 0 ? 'column rules' : '',
        ]
          .filter(Boolean)
          .join(', ') || '—',
    },
    {
      title: 'Include',
      cell: (o) => <IncludeSwitch object={o} title={titles.get(o.object) ?? o.object} toggle={toggle} />,
    },
    {
      title: 'Details',
      isTitleHidden: true,
      cell: (o) => (
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => onOpen(o.object)}
          aria-label={`Details of ${o.object}`}
        >
          Details
        </Button>
      ),
    },
  ];
}

function ObjectStatus({ object, isRunning }: { readonly object: PipelineObject; readonly isRunning: boolean }) {
  if (object.availability === 'forbidden' || object.availability === 'not_in_plan')
    return (
      <Stack gap={2}>
        <span>
          <Status value={object.availability} tone={object.included ? 'attention' : 'neutral'} />
        </span>
        <Text size="xs" c="dimmed" maw={260}>
          {object.availability_message}
        </Text>
      </Stack>
    );
  if (!object.included) return <Status value="excluded" />;
  if (isRunning) return <Status value="running" />;
  if (object.stale_since !== null) return <Status value="late">Late</Status>;
  if (object.complete_as_of === null) return <Status value="neutral">Not read yet</Status>;
  return <Status value="healthy" />;
}

function IncludeSwitch({
  object,
  title,
  toggle,
}: {
  readonly object: PipelineObject;
  readonly title: string;
  readonly toggle: ReturnType<typeof useToggle>;
}) {
  const { isAllowed, reason } = usePermission('manage_pipelines');
  return (
    <Switch
      aria-label={`Include ${title}`}
      title={reason ?? undefined}
      checked={object.included}
      disabled={!isAllowed}
      onChange={() => toggle.mutate({ object: object.object, included: !object.included })}
    />
  );
}
