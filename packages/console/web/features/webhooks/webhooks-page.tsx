import { Group, Menu, Stack, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { webhooksQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Dialog, SideDrawer } from '../../components/dialog.tsx';
import { GuardedButton, usePermission } from '../../components/guarded.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount } from '../../format/numbers.ts';
import { Deliveries } from './deliveries.tsx';
import { SigningSecret, WebhookDialog } from './webhook-dialog.tsx';

type Webhook = Schemas['Webhook'];

/** Alerts to Slack, PagerDuty and mail, and webhooks to other services. */
export function WebhooksPage() {
  const query = useQuery(webhooksQuery());
  const [isCreating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Alerts & webhooks"
        help="webhooks"
        description="Freshet sends events to Slack, PagerDuty, email or any HTTP service, and repeats failed deliveries."
        actions={
          <GuardedButton permission="manage_webhooks" onClick={() => setCreating(true)}>
            Create alert
          </GuardedButton>
        }
      />
      <QueryView query={query}>{(webhooks) => <WebhookTable webhooks={webhooks} />}</QueryView>
      {isCreating ? <WebhookDialog onClose={() => setCreating(false)} /> : null}
    </>
  );
}

type OpenDialog = { readonly kind: 'edit' | 'delete' | 'deliveries' | 'rotate'; readonly webhook: Webhook };

function WebhookTable({ webhooks }: { readonly webhooks: readonly Webhook[] }) {
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => setDialog(null);
  const test = useAction((w: Webhook) => api().post('/v1/webhooks/{id}/test', { params: { path: { id: w.id } } }), {
    done: 'Sent a test event. The deliveries show the response.',
    onDone: (_, webhook) => setDialog({ kind: 'deliveries', webhook }),
  });
  return (
    <Card>
      {webhooks.length === 0 ? (
        <Empty title="No alerts yet" icon="alerts">
          Create an alert to learn of failed runs, late tables and refused API keys before your users do.
        </Empty>
      ) : (
        <DataTable
          label="Webhooks"
          columns={buildColumns(setDialog, (w) => test.mutate(w))}
          rows={webhooks}
          getKey={(w) => w.id}
          minWidth={780}
        />
      )}
      {dialog?.kind === 'edit' ? <WebhookDialog webhook={dialog.webhook} onClose={close} /> : null}
      {dialog?.kind === 'delete' ? (
        <ConfirmDialog
          title={`Delete ${dialog.webhook.name}?`}
          confirmLabel="Delete"
          isDangerous
          onConfirm={() => api().delete('/v1/webhooks/{id}', { params: { path: { id: dialog.webhook.id } } })}
          onClose={close}
        >
          Freshet sends no more events to this receiver. Pending deliveries are dropped.
        </ConfirmDialog>
      ) : null}
      {dialog?.kind === 'rotate' ? (
        <ConfirmDialog
          title={`Rotate the signing secret of ${dialog.webhook.name}?`}
          confirmLabel="Rotate secret"
          onConfirm={async () =>
            setSecret(
              (await api().post('/v1/webhooks/{id}/rotate', { params: { path: { id: dialog.webhook.id } }, body: {} }))
                .secret,
            )
          }
          onClose={close}
        >
          Requests are signed with both secrets for one hour, so that you can update the receiver.
        </ConfirmDialog>
      ) : null}
      {secret === null ? null : (
        <Dialog onClose={() => setSecret(null)} title="New signing secret">
          <SigningSecret secret={secret} onClose={() => setSecret(null)} />
        </Dialog>
      )}
      <SideDrawer
        opened={dialog?.kind === 'deliveries'}
        onClose={close}
        title={`Deliveries of ${dialog?.webhook.name ?? ''}`}
      >
        {dialog?.kind === 'deliveries' ? <Deliveries webhookId={dialog.webhook.id} /> : null}
      </SideDrawer>
    </Card>
  );
}

function buildColumns(open: (dialog: OpenDialog) => void, test: (webhook: Webhook) => void): Column<Webhook>[] {
  return [
    {
      title: 'Name',
      cell: (w) => (
        <>
          <strong>{w.name}</strong>
          <Text size="sm" c="dimmed" className="break">
            {w.url}
          </Text>
        </>
      ),
    },
    { title: 'Status', cell: (w) => <WebhookStatus webhook={w} /> },
    { title: 'Events', cell: (w) => <span title={w.events.join('\n')}>{formatCount(w.events.length, 'event')}</span> },
    { title: 'Enabled', cell: (w) => <EnabledSwitch webhook={w} /> },
    {
      title: 'Actions',
      isTitleHidden: true,
      cell: (w) => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <GuardedButton
            permission="manage_webhooks"
            variant="default"
            size="compact-sm"
            onClick={() => test(w)}
            aria-label={`Test ${w.name}`}
          >
            Test
          </GuardedButton>
          <GuardedButton
            permission="manage_webhooks"
            variant="default"
            size="compact-sm"
            onClick={() => open({ kind: 'deliveries', webhook: w })}
            aria-label={`Deliveries of ${w.name}`}
          >
            Deliveries
          </GuardedButton>
          <Menu position="bottom-end">
            <Menu.Target>
              <GuardedButton
                permission="manage_webhooks"
                variant="default"
                size="compact-sm"
                aria-label={`More actions for ${w.name}`}
              >
                More
              </GuardedButton>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => open({ kind: 'edit', webhook: w })}>Edit</Menu.Item>
              <Menu.Item onClick={() => open({ kind: 'rotate', webhook: w })}>Rotate secret</Menu.Item>
              <Menu.Item onClick={() => open({ kind: 'delete', webhook: w })}>Delete</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      ),
    },
  ];
}

function WebhookStatus({ webhook }: { readonly webhook: Webhook }) {
  if (!webhook.enabled)
    return (
      <Stack gap={2}>
        <span>
          <Status value={webhook.disabled_reason === null ? 'disabled' : 'failed'}>Disabled</Status>
        </span>
        {webhook.disabled_reason === null ? null : <Text size="xs">{webhook.disabled_reason}</Text>}
      </Stack>
    );
  if (webhook.failing_since !== null)
    return (
      <Stack gap={2}>
        <span>
          <Status value="partial">Failing</Status>
        </span>
        <Text size="xs">
          since <Time value={webhook.failing_since} />
        </Text>
      </Stack>
    );
  return <Status value="active" />;
}

function EnabledSwitch({ webhook }: { readonly webhook: Webhook }) {
  const { isAllowed } = usePermission('manage_webhooks');
  const toggle = useAction(
    (enabled: boolean) => api().patch('/v1/webhooks/{id}', { params: { path: { id: webhook.id } }, body: { enabled } }),
    { done: (w) => `${w.enabled ? 'Enabled' : 'Disabled'} ${w.name}.` },
  );
  return (
    <Switch
      aria-label={`Enable ${webhook.name}`}
      checked={webhook.enabled}
      disabled={!isAllowed || toggle.isPending}
      onChange={(event) => toggle.mutate(event.currentTarget.checked)}
    />
  );
}
