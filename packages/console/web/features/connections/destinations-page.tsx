import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { allPipelinesQuery, destinationsQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { DestinationDialog } from './destination-dialog.tsx';
import { DestinationTestResult } from './destination-test-result.tsx';

type Destination = Schemas['Destination'];

/** The warehouses that pipelines load into. */
export function DestinationsPage() {
  const query = useQuery(destinationsQuery());
  const [isCreating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Destinations"
        help="connectPostgresql"
        description="PostgreSQL databases (14 to 18) that pipelines load into."
        actions={
          <GuardedButton permission="manage_connections" onClick={() => setCreating(true)}>
            Create destination
          </GuardedButton>
        }
      />
      <QueryView query={query}>{(destinations) => <DestinationTable destinations={destinations} />}</QueryView>
      {isCreating ? <DestinationDialog onClose={() => setCreating(false)} /> : null}
    </>
  );
}

function DestinationTable({ destinations }: { readonly destinations: readonly Destination[] }) {
  const { data: pipelines = [] } = useQuery(allPipelinesQuery());
  const [editing, setEditing] = useState<Destination | null>(null);
  const [deleting, setDeleting] = useState<Destination | null>(null);
  const findPipelines = (id: string) => pipelines.filter((p) => p.destination_id === id);
  const test = useAction(async (destination: Destination) => {
    const schema = findPipelines(destination.id)[0]?.destination_schema ?? 'freshdesk';
    const params = { path: { id: destination.id }, query: { schema } };
    return { destination, schema, result: await api().post('/v1/destinations/{id}/test', { params }) };
  });
  const columns: Column<Destination>[] = [
    {
      title: 'Name',
      cell: (d) => (
        <>
          <strong>{d.name}</strong>
          <Text size="sm" c="dimmed">
            {d.host}:{d.port} / {d.database}
          </Text>
        </>
      ),
    },
    { title: 'User', cell: (d) => d.username },
    { title: 'Encryption', cell: (d) => d.ssl_mode },
    {
      title: 'Used by',
      cell: (d) =>
        findPipelines(d.id)
          .map((p) => p.name)
          .join(', ') || 'nothing',
    },
    {
      title: 'Actions',
      isTitleHidden: true,
      cell: (d) => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <GuardedButton
            permission="manage_connections"
            variant="default"
            size="compact-sm"
            loading={test.isPending && test.variables?.id === d.id}
            onClick={() => test.mutate(d)}
            aria-label={`Test ${d.name}`}
          >
            Test
          </GuardedButton>
          <GuardedButton
            permission="manage_connections"
            variant="default"
            size="compact-sm"
            onClick={() => setEditing(d)}
            aria-label={`Edit ${d.name}`}
          >
            Edit
          </GuardedButton>
          <GuardedButton
            permission="manage_connections"
            variant="default"
            size="compact-sm"
            onClick={() => setDeleting(d)}
            aria-label={`Delete ${d.name}`}
          >
            Delete
          </GuardedButton>
        </Group>
      ),
    },
  ];
  return (
    <Stack>
      <div aria-live="polite">
        {test.data ? (
          <Card title={`Test of ${test.data.destination.name}`}>
            <DestinationTestResult result={test.data.result} schema={test.data.schema} />
          </Card>
        ) : null}
      </div>
      <Card>
        {destinations.length === 0 ? (
          <Empty title="No destinations yet" icon="destinations">
            The set-up of a pipeline creates a destination. You can also create one here.
          </Empty>
        ) : (
          <DataTable label="Destinations" columns={columns} rows={destinations} getKey={(d) => d.id} minWidth={760} />
        )}
      </Card>
      {editing ? <DestinationDialog destination={editing} onClose={() => setEditing(null)} /> : null}
      {deleting ? (
        <ConfirmDialog
          title={`Delete ${deleting.name}?`}
          confirmLabel="Delete destination"
          isDangerous
          onConfirm={() => api().delete('/v1/destinations/{id}', { params: { path: { id: deleting.id } } })}
          onClose={() => setDeleting(null)}
        >
          {findPipelines(deleting.id).length > 0
            ? 'Pipelines load into this destination. Delete these pipelines first.'
            : 'Nothing loads into this destination. The database itself does not change.'}
        </ConfirmDialog>
      ) : null}
    </Stack>
  );
}
