import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { tokensQuery } from '../../api/queries.ts';
import { useSession } from '../../app/session.tsx';
import { ConfirmDialog } from '../../components/actions.tsx';
import { CodeBlock } from '../../components/copy.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { ROLE_LABELS } from './roles.ts';
import { TokenDialog } from './token-dialog.tsx';

type Token = Schemas['Token'];

/** The API tokens of the deployment. */
export function TokensPage() {
  const query = useQuery(tokensQuery());
  const [isCreating, setCreating] = useState(false);
  const [value, setValue] = useState<string | null>(null);
  return (
    <>
      <PageHeader
        title="Tokens"
        help="tokens"
        description="Tokens give people and programs access to Freshet. The role of a token determines what it may do."
        actions={
          <GuardedButton permission="manage_tokens" onClick={() => setCreating(true)}>
            Create token
          </GuardedButton>
        }
      />
      <QueryView query={query}>{(tokens) => <TokenTable tokens={tokens} onValue={setValue} />}</QueryView>
      {isCreating ? <TokenDialog onCreated={setValue} onClose={() => setCreating(false)} /> : null}
      {value === null ? null : <ValueDialog value={value} onClose={() => setValue(null)} />}
    </>
  );
}

/** Shows the value of a new or rotated token once. */
function ValueDialog({ value, onClose }: { readonly value: string; readonly onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="The value of the token">
      <Stack>
        <Notice tone="attention">
          <strong>Copy the token now.</strong> Freshet stores only a hash of it, and cannot show it again.
        </Notice>
        <CodeBlock label="The token" code={value} />
        <Button onClick={onClose}>Done</Button>
      </Stack>
    </Dialog>
  );
}

type OpenDialog = { readonly kind: 'edit' | 'rotate' | 'delete'; readonly token: Token };

function TokenTable({
  tokens,
  onValue,
}: {
  readonly tokens: readonly Token[];
  readonly onValue: (value: string) => void;
}) {
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const { token: current } = useSession();
  const close = () => setDialog(null);
  return (
    <Card>
      <DataTable
        label="Tokens"
        columns={buildColumns(setDialog, current?.id)}
        rows={tokens}
        getKey={(t) => t.id}
        minWidth={820}
      />
      {dialog?.kind === 'edit' ? <TokenDialog token={dialog.token} onCreated={onValue} onClose={close} /> : null}
      {dialog?.kind === 'rotate' ? (
        <ConfirmDialog
          title={`Rotate ${dialog.token.name}?`}
          confirmLabel="Rotate token"
          onConfirm={async () =>
            onValue(
              (await api().post('/v1/tokens/{id}/rotate', { params: { path: { id: dialog.token.id } }, body: {} }))
                .token,
            )
          }
          onClose={close}
        >
          The token gets a new value. The previous value stays valid for one hour, so that you can update clients.
        </ConfirmDialog>
      ) : null}
      {dialog?.kind === 'delete' ? (
        <ConfirmDialog
          title={`Delete ${dialog.token.name}?`}
          confirmLabel="Delete token"
          isDangerous
          onConfirm={() => api().delete('/v1/tokens/{id}', { params: { path: { id: dialog.token.id } } })}
          onClose={close}
        >
          {dialog.token.id === current?.id
            ? 'You are signed in with this token. It becomes invalid immediately, and you must sign in with a different one.'
            : 'The token becomes invalid immediately. Clients that use it receive the status 401.'}
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}

function buildColumns(open: (dialog: OpenDialog) => void, currentId: string | undefined): Column<Token>[] {
  const action = (kind: OpenDialog['kind'], label: string, token: Token) => (
    <GuardedButton
      permission="manage_tokens"
      variant="default"
      size="compact-sm"
      onClick={() => open({ kind, token })}
      aria-label={`${label} ${token.name}`}
    >
      {label}
    </GuardedButton>
  );
  return [
    {
      title: 'Name',
      cell: (t) => (
        <>
          <strong>{t.name}</strong>
          {t.id === currentId ? (
            <Text size="sm" c="dimmed">
              this session
            </Text>
          ) : null}
        </>
      ),
    },
    {
      title: 'Role',
      cell: (t) => (
        <>
          {ROLE_LABELS[t.role]}
          {t.scopes === null ? null : (
            <Text size="sm" c="dimmed">
              only {t.scopes.join(', ')}
            </Text>
          )}
        </>
      ),
    },
    { title: 'Last used', cell: (t) => <Time value={t.last_used_at} absent="never" /> },
    { title: 'Expires', cell: (t) => <Expiry token={t} /> },
    { title: 'Value from', cell: (t) => <Time value={t.rotated_at} /> },
    {
      title: 'Actions',
      isTitleHidden: true,
      cell: (t) => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          {action('edit', 'Edit', t)}
          {action('rotate', 'Rotate', t)}
          {action('delete', 'Delete', t)}
        </Group>
      ),
    },
  ];
}

function Expiry({ token }: { readonly token: Token }) {
  if (token.expires_at === null) return <>never</>;
  return Date.parse(token.expires_at) <= Date.now() ? <Status value="expired" /> : <Time value={token.expires_at} />;
}
