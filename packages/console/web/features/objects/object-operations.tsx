import { Group, Stack, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { latestRunsQuery } from '../../api/queries.ts';
import { ConfirmDialog, showSuccess } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { formatNumber } from '../../format/numbers.ts';

type Operation = 'restart' | 'rebuild' | 'position' | 'refresh';

interface ObjectOperationsProps {
  readonly pipelineId: string;
  readonly object: Schemas['PipelineObject'];
}

/**
 * Operations on an object. Each dialog states the consequences and the cost before the operation
 * starts.
 */
export function ObjectOperations({ pipelineId, object }: ObjectOperationsProps) {
  const [operation, setOperation] = useState<Operation | null>(null);
  const close = () => setOperation(null);
  return (
    <Stack gap="sm">
      <Title order={3}>Operations</Title>
      <Group gap="xs">
        <GuardedButton permission="run" variant="default" onClick={() => setOperation('restart')}>
          Restart
        </GuardedButton>
        <GuardedButton permission="run" variant="default" onClick={() => setOperation('position')}>
          Set position
        </GuardedButton>
        <GuardedButton permission="run" variant="default" onClick={() => setOperation('rebuild')}>
          Rebuild table
        </GuardedButton>
        <GuardedButton permission="refresh" variant="default" onClick={() => setOperation('refresh')}>
          Refresh a record
        </GuardedButton>
      </Group>
      {operation === 'restart' ? <RestartDialog pipelineId={pipelineId} object={object} onClose={close} /> : null}
      {operation === 'rebuild' ? <RebuildDialog pipelineId={pipelineId} object={object} onClose={close} /> : null}
      {operation === 'position' ? <PositionDialog pipelineId={pipelineId} object={object} onClose={close} /> : null}
      {operation === 'refresh' ? <RefreshDialog pipelineId={pipelineId} object={object} onClose={close} /> : null}
    </Stack>
  );
}

interface DialogProps extends ObjectOperationsProps {
  readonly onClose: () => void;
}

function RestartDialog({ pipelineId, object, onClose }: DialogProps) {
  const { data: runs = [] } = useQuery(latestRunsQuery(pipelineId));
  // The most expensive recent sync read the most history, so its credits are the best estimate.
  const credits = Math.max(
    0,
    ...runs.flatMap((run) => run.objects.filter((o) => o.object === object.object).map((o) => o.credits_used)),
  );
  return (
    <ConfirmDialog
      title={`Restart ${object.object}?`}
      confirmLabel="Restart"
      onConfirm={async () => {
        await api().post('/v1/pipelines/{id}/objects/{object}/restart', {
          params: { path: { id: pipelineId, object: object.object } },
        });
        showSuccess(`${object.object} is read again in the next run.`);
      }}
      onClose={onClose}
    >
      <ul className="plain">
        <li>The next run reads all records of the configured history again.</li>
        <li>The rows stay in the table and can be queried meanwhile.</li>
        <li>
          Cost: the credits of a first sync of this object
          {credits > 0 ? `. A recent run used ${formatNumber(credits)} credits for it.` : '.'}
        </li>
      </ul>
    </ConfirmDialog>
  );
}

function RebuildDialog({ pipelineId, object, onClose }: DialogProps) {
  return (
    <ConfirmDialog
      title={`Rebuild the table of ${object.object}?`}
      confirmLabel="Rebuild table"
      onConfirm={async () => {
        const result = await api().post('/v1/pipelines/{id}/objects/{object}/rebuild', {
          params: { path: { id: pipelineId, object: object.object } },
        });
        showSuccess(`Loading ${formatNumber(result.records)} stored records again.`);
      }}
      onClose={onClose}
    >
      <ul className="plain">
        <li>Freshet loads the stored batches of the last days again, without requests to Freshdesk.</li>
        <li>
          Rows that are older than the stored batches stay as they are. To read everything again, restart the object.
        </li>
        <li>Cost: no credits.</li>
      </ul>
    </ConfirmDialog>
  );
}

function PositionDialog({ pipelineId, object, onClose }: DialogProps) {
  const [time, setTime] = useState('');
  return (
    <ConfirmDialog
      title={`Set the position of ${object.object}?`}
      confirmLabel="Set position"
      onConfirm={async () => {
        const changedSince = new Date(time).toISOString();
        await api().post('/v1/pipelines/{id}/objects/{object}/position', {
          params: { path: { id: pipelineId, object: object.object } },
          body: { changed_since: changedSince },
        });
        showSuccess(`The next run reads the changes of ${object.object} since the chosen time.`);
      }}
      onClose={onClose}
    >
      <Stack gap="sm">
        <ul className="plain">
          <li>The next run reads the records that have changed since this time.</li>
          <li>
            An earlier time reads records again. A later time skips changes, which then are missing from the table.
          </li>
          <li>Cost: one credit for each page of changed records.</li>
        </ul>
        <TextInput
          type="datetime-local"
          label="Read changes since (your time zone)"
          value={time}
          onChange={(event) => setTime(event.currentTarget.value)}
          required
        />
      </Stack>
    </ConfirmDialog>
  );
}

function RefreshDialog({ pipelineId, object, onClose }: DialogProps) {
  const [recordId, setRecordId] = useState('');
  return (
    <ConfirmDialog
      title={`Refresh a record of ${object.object}?`}
      confirmLabel="Refresh record"
      onConfirm={async () => {
        await api().post('/v1/pipelines/{id}/objects/{object}/records/{record_id}/refresh', {
          params: { path: { id: pipelineId, object: object.object, record_id: recordId.trim() } },
        });
        showSuccess(`Reading record ${recordId.trim()} again.`);
      }}
      onClose={onClose}
    >
      <Stack gap="sm">
        <span>Freshet reads one record again and updates its row. Cost: one or two credits.</span>
        <TextInput
          label="ID of the record"
          value={recordId}
          onChange={(event) => setRecordId(event.currentTarget.value)}
          required
        />
      </Stack>
    </ConfirmDialog>
  );
}
