import { Button, Group, MultiSelect, PasswordInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { CodeBlock } from '../../components/copy.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { ActionError } from '../../components/states.tsx';
import { ALERT_EVENTS, EVENTS, PRESETS, type PresetName } from './presets.ts';

type Webhook = Schemas['Webhook'];

interface WebhookDialogProps {
  /** Absent: a new webhook is created. */
  readonly webhook?: Webhook;
  readonly onClose: () => void;
}

/** Creates or edits a webhook. The signing secret of a new webhook is shown once. */
export function WebhookDialog({ webhook, onClose }: WebhookDialogProps) {
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Dialog onClose={onClose} title={webhook ? `Edit ${webhook.name}` : 'Create alert or webhook'} size="lg">
      {secret === null ? (
        <WebhookForm {...(webhook ? { webhook } : {})} onClose={onClose} onCreated={setSecret} />
      ) : (
        <SigningSecret secret={secret} onClose={onClose} />
      )}
    </Dialog>
  );
}

export function SigningSecret({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <Stack>
      <Notice tone="attention">
        <strong>Copy the signing secret now.</strong> It is not shown again. Receivers use it to verify that a request
        comes from Freshet. Slack, PagerDuty and email do not need it.
      </Notice>
      <CodeBlock label="The signing secret" code={secret} />
      <Button onClick={onClose}>Done</Button>
    </Stack>
  );
}

interface WebhookFormProps extends WebhookDialogProps {
  readonly onCreated: (secret: string) => void;
}

function WebhookForm({ webhook, onClose, onCreated }: WebhookFormProps) {
  const [presetName, setPresetName] = useState<PresetName>('slack');
  const preset = PRESETS[presetName];
  const [name, setName] = useState(webhook?.name ?? '');
  const [url, setUrl] = useState(webhook?.url ?? preset.url);
  const [templateSecret, setTemplateSecret] = useState('');
  const [events, setEvents] = useState<readonly Schemas['EventType'][]>(webhook?.events ?? ALERT_EVENTS);
  const common = {
    name: name.trim(),
    url: url.trim(),
    events: [...events],
    ...(templateSecret === '' ? {} : { template_secret: templateSecret }),
  };
  const save = useAction(
    async (): Promise<string | null> => {
      if (webhook) {
        await api().patch('/v1/webhooks/{id}', { params: { path: { id: webhook.id } }, body: common });
        return null;
      }
      return (await api().post('/v1/webhooks', { body: { ...common, template: preset.template } })).secret;
    },
    {
      done: `Saved ${name}.`,
      onDone: (secret) => (secret === null ? onClose() : onCreated(secret)),
      toastErrors: false,
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const secretLabel = webhook ? (webhook.has_template_secret ? 'Secret' : null) : preset.secretLabel;
  return (
    <form onSubmit={submit}>
      <Stack>
        {webhook ? null : (
          <>
            <SegmentedControl
              aria-label="Receiver"
              value={presetName}
              onChange={(value) => {
                setPresetName(value as PresetName);
                setUrl(PRESETS[value as PresetName].url);
              }}
              data={Object.entries(PRESETS).map(([value, { label }]) => ({ value, label }))}
            />
            <Text size="sm" c="dimmed">
              {preset.description}
            </Text>
          </>
        )}
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          maxLength={255}
        />
        <TextInput
          label={webhook ? 'URL' : preset.urlLabel}
          placeholder={preset.urlPlaceholder}
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
          required
        />
        {secretLabel === null ? null : (
          <PasswordInput
            label={secretLabel}
            placeholder={webhook ? 'Stored. Enter a value only to replace it.' : ''}
            value={templateSecret}
            onChange={(event) => setTemplateSecret(event.currentTarget.value)}
            required={webhook === undefined}
            autoComplete="off"
          />
        )}
        <MultiSelect
          label="Events"
          data={Object.entries(EVENTS).map(([value, label]) => ({ value, label }))}
          value={[...events]}
          onChange={(values) => setEvents(values as Schemas['EventType'][])}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Remove all events' }}
        />
        <ActionError error={save.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={events.length === 0}>
            {webhook ? 'Save' : 'Create'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
