import { Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { erasuresQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card } from '../../components/page.tsx';
import { QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatNumber } from '../../format/numbers.ts';

/** Erases a person from the warehouse, and lists previous erasures. */
export function ErasureCard({ pipelineId }: { readonly pipelineId: string }) {
  const [contactId, setContactId] = useState('');
  const [isOpen, setOpen] = useState(false);
  const query = useQuery(erasuresQuery(pipelineId));
  return (
    <Card
      title="Erase a person"
      description="Removes a contact from tables, histories, stored batches and rejected records, and excludes the contact from later runs."
    >
      <Stack gap="sm">
        <Group align="flex-end" gap="sm">
          <TextInput
            label="Contact ID"
            value={contactId}
            onChange={(event) => setContactId(event.currentTarget.value)}
            inputMode="numeric"
          />
          <GuardedButton
            permission="erase"
            variant="default"
            className="danger"
            disabled={!/^\d+$/.test(contactId.trim())}
            onClick={() => setOpen(true)}
          >
            Erase
          </GuardedButton>
        </Group>
        <QueryView query={query} rows={1}>
          {(erasures) =>
            erasures.length === 0 ? (
              <Text size="sm" c="dimmed">
                No person has been erased.
              </Text>
            ) : (
              <ErasureTable pipelineId={pipelineId} erasures={erasures} />
            )
          }
        </QueryView>
      </Stack>
      {isOpen ? (
        <ConfirmDialog
          title={`Erase contact ${contactId.trim()}?`}
          confirmLabel="Erase permanently"
          isDangerous
          typedText={contactId.trim()}
          onConfirm={() =>
            api().post('/v1/pipelines/{id}/erasures', {
              params: { path: { id: pipelineId } },
              body: { contact_id: contactId.trim() },
            })
          }
          onClose={() => setOpen(false)}
        >
          The rows of this contact and their tickets’ texts are removed permanently. This cannot be undone. Erase the
          contact in Freshdesk as well: Freshet does not change Freshdesk.
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}

function ErasureTable({
  pipelineId,
  erasures,
}: {
  readonly pipelineId: string;
  readonly erasures: readonly Schemas['Erasure'][];
}) {
  const lift = useAction(
    (id: string) =>
      api().post('/v1/pipelines/{id}/erasures/{erasure_id}/lift', {
        params: { path: { id: pipelineId, erasure_id: id } },
      }),
    { done: 'The contact is read again if Freshdesk returns the contact.' },
  );
  return (
    <DataTable
      label="Erasures"
      rows={erasures}
      getKey={(e) => e.id}
      minWidth={420}
      columns={[
        { title: 'Contact', cell: (e) => e.contact_id },
        { title: 'Status', cell: (e) => <Status value={e.status} /> },
        { title: 'Rows', isNumber: true, cell: (e) => formatNumber(e.removed.reduce((n, r) => n + r.rows, 0)) },
        { title: 'Created', cell: (e) => <Time value={e.created_at} /> },
        {
          title: 'Actions',
          isTitleHidden: true,
          cell: (e) =>
            e.status === 'completed' ? (
              <GuardedButton
                permission="erase"
                variant="default"
                size="compact-sm"
                onClick={() => lift.mutate(e.id)}
                aria-label={`Lift the erasure of ${e.contact_id}`}
              >
                Lift
              </GuardedButton>
            ) : null,
        },
      ]}
    />
  );
}
