import { Button, Group, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ActionError } from '../../components/states.tsx';
import { type DestinationDraft, EMPTY_DRAFT } from '../wizard/draft-storage.ts';
import { DestinationFields } from './destination-fields.tsx';

type Destination = Schemas['Destination'];

interface DestinationDialogProps {
  /** Absent: a new destination is created. */
  readonly destination?: Destination;
  readonly onClose: () => void;
}

/** Creates or edits a destination. The password is stored as its own credential. */
export function DestinationDialog({ destination, onClose }: DestinationDialogProps) {
  const [value, setValue] = useState<DestinationDraft>(
    destination ? { ...destination, ssl_ca: destination.ssl_ca ?? '' } : EMPTY_DRAFT.destination,
  );
  const [password, setPassword] = useState('');
  const save = useAction(() => (destination ? update(destination, value, password) : create(value, password)), {
    done: `Saved ${value.name}.`,
    onDone: onClose,
    toastErrors: false,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog onClose={onClose} title={destination ? `Edit ${destination.name}` : 'Create destination'} size="lg">
      <form onSubmit={submit}>
        <Stack>
          <DestinationFields
            value={value}
            onChange={setValue}
            password={password}
            onPasswordChange={setPassword}
            isPasswordStored={destination !== undefined}
          />
          <ActionError error={save.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              {destination ? 'Save' : 'Create destination'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function toFields({ name, host, port, database, username, ssl_mode, ssl_ca }: DestinationDraft) {
  return { name: name.trim(), host, port, database, username, ssl_mode, ssl_ca: ssl_ca.trim() === '' ? null : ssl_ca };
}

async function create(value: DestinationDraft, password: string): Promise<unknown> {
  const credential = await api().post('/v1/credentials', {
    body: { name: `${value.name.trim()} password`, type: 'postgres_password', password },
  });
  try {
    return await api().post('/v1/destinations', {
      body: { ...toFields(value), type: 'postgres', credential_id: credential.id },
    });
  } catch (error) {
    await api().delete('/v1/credentials/{id}', { params: { path: { id: credential.id } } });
    throw error;
  }
}

async function update(destination: Destination, value: DestinationDraft, password: string): Promise<unknown> {
  if (password !== '')
    await api().patch('/v1/credentials/{id}', {
      params: { path: { id: destination.credential_id } },
      body: { password },
    });
  return api().patch('/v1/destinations/{id}', { params: { path: { id: destination.id } }, body: toFields(value) });
}
