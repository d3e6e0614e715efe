import { Button, Group, PasswordInput, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { allPipelinesQuery, credentialsQuery, destinationsQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { ActionError, Empty, QueryView } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';

type Credential = Schemas['Credential'];

const TYPES: Readonly<Record<Credential['type'], string>> = {
  freshdesk_api_key: 'Freshdesk API key',
  postgres_password: 'PostgreSQL password',
};

/** The stored API keys and passwords. Their values can be replaced, but not displayed. */
export function CredentialsPage() {
  const query = useQuery(credentialsQuery());
  const [isCreating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Credentials"
        help="apiKeys"
        description="API keys and passwords. Freshet encrypts them, and never shows their values again."
        actions={
          <GuardedButton permission="manage_connections" onClick={() => setCreating(true)}>
            Create credential
          </GuardedButton>
        }
      />
      <QueryView query={query}>{(credentials) => <CredentialTable credentials={credentials} />}</QueryView>
      {isCreating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
    </>
  );
}

function CredentialTable({ credentials }: { readonly credentials: readonly Credential[] }) {
  const { data: pipelines = [] } = useQuery(allPipelinesQuery());
  const { data: destinations = [] } = useQuery(destinationsQuery());
  const [replacing, setReplacing] = useState<Credential | null>(null);
  const [deleting, setDeleting] = useState<Credential | null>(null);
  const findUses = (id: string) => [
    ...pipelines.filter((p) => p.source.credential_id === id).map((p) => `pipeline ${p.name}`),
    ...destinations.filter((d) => d.credential_id === id).map((d) => `destination ${d.name}`),
  ];
  const columns: Column<Credential>[] = [
    { title: 'Name', cell: (c) => <strong>{c.name}</strong> },
    { title: 'Type', cell: (c) => TYPES[c.type] },
    { title: 'Ends with', cell: (c) => <code>{c.hint}</code> },
    { title: 'Used by', cell: (c) => findUses(c.id).join(', ') || 'nothing' },
    { title: 'Last replaced', cell: (c) => <Time value={c.rotated_at} /> },
    {
      title: 'Actions',
      isTitleHidden: true,
      cell: (c) => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <GuardedButton
            permission="manage_connections"
            variant="default"
            size="compact-sm"
            onClick={() => setReplacing(c)}
            aria-label={`Replace the value of ${c.name}`}
          >
            Replace
          </GuardedButton>
          <GuardedButton
            permission="manage_connections"
            variant="default"
            size="compact-sm"
            onClick={() => setDeleting(c)}
            aria-label={`Delete ${c.name}`}
          >
            Delete
          </GuardedButton>
        </Group>
      ),
    },
  ];
  return (
    <Card>
      {credentials.length === 0 ? (
        <Empty title="No credentials yet" icon="credentials">
          The set-up of a pipeline stores the API key that you enter. You can also create a credential here.
        </Empty>
      ) : (
        <DataTable label="Credentials" columns={columns} rows={credentials} getKey={(c) => c.id} minWidth={760} />
      )}
      {replacing ? <ReplaceDialog credential={replacing} onClose={() => setReplacing(null)} /> : null}
      {deleting ? (
        <ConfirmDialog
          title={`Delete ${deleting.name}?`}
          confirmLabel="Delete credential"
          isDangerous
          onConfirm={() => api().delete('/v1/credentials/{id}', { params: { path: { id: deleting.id } } })}
          onClose={() => setDeleting(null)}
        >
          {findUses(deleting.id).length > 0
            ? `It is used by ${findUses(deleting.id).join(', ')}. A credential that is in use cannot be deleted: choose a different credential there first.`
            : 'Nothing uses this credential. Its value is deleted permanently.'}
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}

function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const [type, setType] = useState<Credential['type']>('freshdesk_api_key');
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const create = useAction(
    () =>
      api().post('/v1/credentials', {
        body: type === 'freshdesk_api_key' ? { name, type, api_key: secret } : { name, type, password: secret },
      }),
    { done: `Created ${name}.`, onDone: onClose, toastErrors: false },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog onClose={onClose} title="Create credential">
      <form onSubmit={submit}>
        <Stack>
          <SegmentedControl
            aria-label="Type"
            value={type}
            onChange={(value) => setType(value as Credential['type'])}
            data={Object.entries(TYPES).map(([value, label]) => ({ value, label }))}
          />
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={255}
          />
          <PasswordInput
            label={TYPES[type]}
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
            required
            autoComplete="off"
          />
          <ActionError error={create.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              Create credential
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function ReplaceDialog({ credential, onClose }: { readonly credential: Credential; readonly onClose: () => void }) {
  const [secret, setSecret] = useState('');
  const replace = useAction(
    () =>
      api().patch('/v1/credentials/{id}', {
        params: { path: { id: credential.id } },
        body: credential.type === 'freshdesk_api_key' ? { api_key: secret } : { password: secret },
      }),
    { done: `Replaced the value of ${credential.name}.`, onDone: onClose, toastErrors: false },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    replace.mutate();
  };
  return (
    <Dialog onClose={onClose} title={`Replace ${credential.name}`}>
      <form onSubmit={submit}>
        <Stack>
          <PasswordInput
            label={`New ${TYPES[credential.type]}`}
            description="Requests use the new value from now on. Pipelines that waited because of the old value continue."
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
            required
            autoComplete="off"
          />
          <ActionError error={replace.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={replace.isPending}>
              Replace
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
