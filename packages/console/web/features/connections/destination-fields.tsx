import { Group, NumberInput, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { Notice } from '../../components/notice.tsx';
import type { DestinationDraft } from '../wizard/draft-storage.ts';
import { parseConnectionUrl } from '../wizard/inputs.ts';

interface DestinationFieldsProps {
  readonly value: DestinationDraft;
  readonly onChange: (value: DestinationDraft) => void;
  readonly password: string;
  readonly onPasswordChange: (password: string) => void;
  /** Whether a password is stored, so that the field may stay empty. */
  readonly isPasswordStored: boolean;
}

const SSL_MODES = [
  { value: 'verify-full', label: 'Verify certificate and host name (recommended)' },
  { value: 'require', label: 'Encrypt without verification' },
  { value: 'disable', label: 'No encryption' },
];

/** The fields of a PostgreSQL warehouse. A pasted connection URL fills all of them. */
export function DestinationFields({
  value,
  onChange,
  password,
  onPasswordChange,
  isPasswordStored,
}: DestinationFieldsProps) {
  const set = (changes: Partial<DestinationDraft>) => onChange({ ...value, ...changes });
  const setHost = (text: string) => {
    const url = parseConnectionUrl(text);
    if (url === null) return set({ host: text });
    const { password: pasted, ssl_mode, ...rest } = url;
    set({ ...rest, ssl_mode: ssl_mode ?? value.ssl_mode, name: value.name || `${rest.database} on ${rest.host}` });
    if (pasted !== '') onPasswordChange(pasted);
  };
  return (
    <Stack gap="sm">
      <TextInput
        label="Name"
        placeholder="analytics"
        value={value.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        maxLength={255}
        required
      />
      <Group align="flex-start" gap="sm" wrap="nowrap">
        <TextInput
          label="Host"
          description="You can paste a connection URL: postgres://…"
          placeholder="warehouse.example.com"
          value={value.host}
          onChange={(event) => setHost(event.currentTarget.value)}
          required
          flex={1}
        />
        <NumberInput
          label="Port"
          description="Usually 5432"
          value={value.port}
          onChange={(port) => typeof port === 'number' && set({ port })}
          min={1}
          max={65_535}
          allowDecimal={false}
          hideControls
          w={96}
        />
      </Group>
      <TextInput
        label="Database"
        value={value.database}
        onChange={(event) => set({ database: event.currentTarget.value })}
        required
      />
      <Group align="flex-start" gap="sm" grow>
        <TextInput
          label="User"
          value={value.username}
          onChange={(event) => set({ username: event.currentTarget.value })}
          autoComplete="off"
          required
        />
        <PasswordInput
          label="Password"
          placeholder={isPasswordStored ? 'Stored' : ''}
          value={password}
          onChange={(event) => onPasswordChange(event.currentTarget.value)}
          autoComplete="off"
          required={!isPasswordStored}
        />
      </Group>
      <Select
        label="Encryption (TLS)"
        data={SSL_MODES}
        value={value.ssl_mode}
        onChange={(mode) => set({ ssl_mode: (mode ?? 'verify-full') as DestinationDraft['ssl_mode'] })}
        allowDeselect={false}
      />
      {value.ssl_mode === 'disable' ? (
        <Notice tone="attention">Without encryption, the password and all records are readable on the network.</Notice>
      ) : null}
      {value.ssl_mode === 'verify-full' ? (
        <Textarea
          label="CA certificate (PEM)"
          description="Only for a server whose certificate is not signed by a public authority."
          value={value.ssl_ca}
          onChange={(event) => set({ ssl_ca: event.currentTarget.value })}
          autosize
          minRows={2}
          maxRows={6}
        />
      ) : null}
    </Stack>
  );
}
