import { Button, Group, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ActionError } from '../../components/states.tsx';
import { ROLE_DESCRIPTIONS, ROLE_LABELS } from './roles.ts';

type Token = Schemas['Token'];
type Role = Schemas['TokenRole'];

interface TokenDialogProps {
  /** Absent: a new token is created. */
  readonly token?: Token;
  readonly onCreated: (value: string) => void;
  readonly onClose: () => void;
}

const PERMISSIONS: readonly Schemas['Permission'][] = [
  'read',
  'read_records',
  'read_reports',
  'read_warehouse',
  'run',
  'refresh',
  'manage_pipelines',
  'manage_connections',
  'manage_webhooks',
  'erase',
  'redrive',
  'manage_tokens',
  'read_audit_log',
];

/** Creates or edits a token. */
export function TokenDialog({ token, onCreated, onClose }: TokenDialogProps) {
  const [name, setName] = useState(token?.name ?? '');
  const [role, setRole] = useState<Role>(token?.role ?? 'observer');
  const [scopes, setScopes] = useState<readonly Schemas['Permission'][]>(token?.scopes ?? []);
  const [expiry, setExpiry] = useState(token?.expires_at?.slice(0, 10) ?? '');
  const body = {
    name: name.trim(),
    role,
    scopes: scopes.length === 0 ? null : [...scopes],
    expires_at: toExpiry(expiry, token),
  };
  const save = useAction(
    async (): Promise<string | null> => {
      if (token) {
        await api().patch('/v1/tokens/{id}', { params: { path: { id: token.id } }, body });
        return null;
      }
      return (await api().post('/v1/tokens', { body })).token;
    },
    {
      done: `Saved ${name}.`,
      onDone: (value) => {
        onClose();
        if (value !== null) onCreated(value);
      },
      toastErrors: false,
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog onClose={onClose} title={token ? `Edit ${token.name}` : 'Create token'}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Who or what uses the token"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={255}
          />
          <Select
            label="Role"
            description={ROLE_DESCRIPTIONS[role]}
            data={Object.entries(ROLE_LABELS).map(([value, label]) => ({ value, label }))}
            value={role}
            onChange={(value) => setRole((value ?? 'observer') as Role)}
            allowDeselect={false}
          />
          <MultiSelect
            label="Restrict to permissions"
            description="Leave empty for all permissions of the role."
            data={[...PERMISSIONS]}
            value={[...scopes]}
            onChange={(values) => setScopes(values as Schemas['Permission'][])}
            clearable
            clearButtonProps={{ 'aria-label': 'Remove all restrictions' }}
          />
          <TextInput
            type="date"
            label="Expires on"
            description="At the end of this day, UTC. Leave empty for no expiry."
            value={expiry}
            onChange={(event) => setExpiry(event.currentTarget.value)}
          />
          <ActionError error={save.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              {token ? 'Save' : 'Create token'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** Returns the expiry of the chosen day. An unchanged day keeps its exact time. */
function toExpiry(day: string, token: Token | undefined): string | null {
  if (day === '') return null;
  return token?.expires_at?.slice(0, 10) === day ? token.expires_at : `${day}T23:59:59.000Z`;
}
