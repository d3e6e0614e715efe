import { useQuery } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { deliveriesQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatNumber } from '../../format/numbers.ts';

/** The latest deliveries of a webhook, with the responses of the receiver. */
export function Deliveries({ webhookId }: { readonly webhookId: string }) {
  const query = useQuery(deliveriesQuery(webhookId));
  const redeliver = useAction(
    (id: string) =>
      api().post('/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver', {
        params: { path: { id: webhookId, delivery_id: id } },
      }),
    { done: 'The event is sent again.' },
  );
  return (
    <QueryView query={query}>
      {(deliveries) =>
        deliveries.length === 0 ? (
          <Empty title="No deliveries yet" icon="alerts">
            Send a test event to check the receiver.
          </Empty>
        ) : (
          <DataTable
            label="Deliveries"
            rows={deliveries}
            getKey={(d) => d.id}
            minWidth={560}
            columns={[
              { title: 'Event', cell: (d) => <code>{d.event_type}</code> },
              { title: 'Status', cell: (d) => <Status value={d.status} /> },
              { title: 'Attempts', isNumber: true, cell: (d) => formatNumber(d.attempts) },
              {
                title: 'Response',
                cell: (d) => d.error ?? (d.response_status === null ? '—' : `status ${d.response_status}`),
              },
              { title: 'Created', cell: (d) => <Time value={d.created_at} /> },
              {
                title: 'Actions',
                isTitleHidden: true,
                cell: (d) => (
                  <GuardedButton
                    permission="manage_webhooks"
                    variant="default"
                    size="compact-sm"
                    onClick={() => redeliver.mutate(d.id)}
                    aria-label={`Send again: ${d.event_type}`}
                  >
                    Send again
                  </GuardedButton>
                ),
              },
            ]}
          />
        )
      }
    </QueryView>
  );
}
