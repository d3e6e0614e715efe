import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { failedUnitsQuery, rejectedRecordsQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { CodeBlock } from '../../components/copy.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';

type RejectedRecord = Schemas['RejectedRecord'];
type FailedUnit = Schemas['FailedUnit'];

/** Records that did not fit their tables, and units of work that could not be read. */
export function FailuresTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  return (
    <Stack>
      <RejectedRecords pipelineId={id} />
      <FailedUnits pipelineId={id} />
    </Stack>
  );
}

function RejectedRecords({ pipelineId }: { readonly pipelineId: string }) {
  const query = useQuery(rejectedRecordsQuery(pipelineId));
  const params = { path: { id: pipelineId } };
  const replay = useAction(
    (ids: readonly string[] | null) =>
      api().post('/v1/pipelines/{id}/rejected-records/replay', { params, body: ids === null ? {} : { ids: [...ids] } }),
    { done: ({ records }) => `Loading ${formatCount(records, 'record')} again.` },
  );
  const [discarding, setDiscarding] = useState<RejectedRecord | null>(null);
  const [opened, setOpened] = useState<RejectedRecord | null>(null);
  const hasRecords = (query.data?.data.length ?? 0) > 0;
  return (
    <Card
      title="Rejected records"
      description="Records that could not be loaded. Correct the cause, then replay them: no request to Freshdesk is needed."
      actions={
        hasRecords ? (
          <GuardedButton
            permission="run"
            variant="default"
            loading={replay.isPending}
            onClick={() => replay.mutate(null)}
          >
            Replay all
          </GuardedButton>
        ) : null
      }
    >
      <QueryView query={query} rows={2}>
        {({ data, next_cursor }) =>
          data.length === 0 ? (
            <Empty title="No rejected records" icon="success">
              All records fit their tables.
            </Empty>
          ) : (
            <>
              <DataTable
                label="Rejected records"
                rows={data}
                getKey={(r) => r.id}
                columns={[
                  { title: 'Object', cell: (r) => <span className="object-name">{r.object}</span> },
                  { title: 'Reason', cell: (r) => <Reason reason={r.reason} /> },
                  { title: 'Rejected', cell: (r) => <Time value={r.created_at} /> },
                  {
                    title: 'Actions',
                    isTitleHidden: true,
                    cell: (r) => (
                      <Group gap="xs" justify="flex-end" wrap="nowrap">
                        <GuardedButton
                          permission="read_records"
                          variant="default"
                          size="compact-sm"
                          onClick={() => setOpened(r)}
                        >
                          View record
                        </GuardedButton>
                        <GuardedButton
                          permission="run"
                          variant="default"
                          size="compact-sm"
                          onClick={() => replay.mutate([r.id])}
                        >
                          Replay
                        </GuardedButton>
                        <GuardedButton
                          permission="run"
                          variant="default"
                          size="compact-sm"
                          onClick={() => setDiscarding(r)}
                        >
                          Discard
                        </GuardedButton>
                      </Group>
                    ),
                  },
                ]}
              />
              {next_cursor === null ? null : (
                <Text c="dimmed">The first {formatNumber(data.length)} records are shown.</Text>
              )}
            </>
          )
        }
      </QueryView>
      {opened ? <RecordDialog pipelineId={pipelineId} record={opened} onClose={() => setOpened(null)} /> : null}
      {discarding ? (
        <ConfirmDialog
          title="Discard this record?"
          confirmLabel="Discard record"
          isDangerous
          onConfirm={() =>
            api().post('/v1/pipelines/{id}/rejected-records/discard', { params, body: { ids: [discarding.id] } })
          }
          onClose={() => setDiscarding(null)}
        >
          The record is deleted, and its row keeps its previous version. If the record changes in Freshdesk, it is read
          again.
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}

/** "value_not_bigint: priority" with an explanation of what to do. */
function Reason({ reason }: { readonly reason: string }) {
  return (
    <>
      <span className="object-name">{reason}</span>
      <Text size="sm" c="dimmed">
        {reason.startsWith('value_not_')
          ? 'A value does not fit the type of its column. Set the schema policy to evolve under Settings, then replay.'
          : 'See the record for its content.'}
      </Text>
    </>
  );
}

function RecordDialog({
  pipelineId,
  record,
  onClose,
}: {
  readonly pipelineId: string;
  readonly record: RejectedRecord;
  readonly onClose: () => void;
}) {
  const query = useQuery({
    queryKey: ['pipelines', pipelineId, 'rejected-records', record.id],
    queryFn: ({ signal }) =>
      api().get('/v1/pipelines/{id}/rejected-records/{record_id}', {
        params: { path: { id: pipelineId, record_id: record.id } },
        signal,
      }),
    refetchInterval: false,
  });
  return (
    <Dialog onClose={onClose} title={`Rejected record of ${record.object}`} size="lg">
      <QueryView query={query} rows={2}>
        {(data) => (
          <Stack>
            <Text size="sm">{data.reason}</Text>
            <CodeBlock label="The raw record" code={formatJson(data.record)} />
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
          </Stack>
        )}
      </QueryView>
    </Dialog>
  );
}

function formatJson(text: string | null): string {
  if (text === null) return 'The record is not available.';
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function FailedUnits({ pipelineId }: { readonly pipelineId: string }) {
  const query = useQuery(failedUnitsQuery(pipelineId));
  const params = { path: { id: pipelineId } };
  const retry = useAction(
    (ids: readonly string[] | null) =>
      api().post('/v1/pipelines/{id}/failed-units/retry', { params, body: ids === null ? {} : { ids: [...ids] } }),
    { done: ({ units }) => `Reading ${formatCount(units, 'unit')} again.` },
  );
  const [discarding, setDiscarding] = useState<FailedUnit | null>(null);
  return (
    <Card
      title="Failed units"
      description="Parts of an object that Freshdesk could not return, such as the conversations of one ticket. Later runs retry them by themselves."
      actions={
        (query.data?.data.length ?? 0) > 0 ? (
          <GuardedButton
            permission="run"
            variant="default"
            loading={retry.isPending}
            onClick={() => retry.mutate(null)}
          >
            Retry all
          </GuardedButton>
        ) : null
      }
    >
      <QueryView query={query} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No failed units" icon="success">
              Everything could be read.
            </Empty>
          ) : (
            <DataTable
              label="Failed units"
              rows={data}
              getKey={(u) => u.id}
              columns={[
                { title: 'Object', cell: (u) => <span className="object-name">{u.object}</span> },
                { title: 'Key', cell: (u) => u.key },
                { title: 'Attempts', isNumber: true, cell: (u) => formatNumber(u.attempts) },
                { title: 'Next attempt', cell: (u) => <Time value={u.next_attempt_at} /> },
                { title: 'Message', cell: (u) => u.error.message },
                {
                  title: 'Actions',
                  isTitleHidden: true,
                  cell: (u) => (
                    <Group gap="xs" justify="flex-end" wrap="nowrap">
                      <GuardedButton
                        permission="run"
                        variant="default"
                        size="compact-sm"
                        onClick={() => retry.mutate([u.id])}
                      >
                        Retry
                      </GuardedButton>
                      <GuardedButton
                        permission="run"
                        variant="default"
                        size="compact-sm"
                        onClick={() => setDiscarding(u)}
                      >
                        Discard
                      </GuardedButton>
                    </Group>
                  ),
                },
              ]}
            />
          )
        }
      </QueryView>
      {discarding ? (
        <ConfirmDialog
          title={`Discard the unit ${discarding.key} of ${discarding.object}?`}
          confirmLabel="Discard unit"
          isDangerous
          onConfirm={() =>
            api().post('/v1/pipelines/{id}/failed-units/discard', { params, body: { ids: [discarding.id] } })
          }
          onClose={() => setDiscarding(null)}
        >
          Freshet no longer retries this unit. Its records stay missing until they change in Freshdesk.
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}
