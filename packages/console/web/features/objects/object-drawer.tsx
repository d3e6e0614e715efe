import { Anchor, Button, Checkbox, Group, NumberInput, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { catalogQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { ActionError } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { formatHistorySince } from '../../format/times.ts';
import { ColumnRules } from './column-rules.tsx';
import { ObjectOperations } from './object-operations.tsx';

type PipelineObject = Schemas['PipelineObject'];

interface ObjectDrawerProps {
  readonly pipelineId: string;
  readonly object: PipelineObject;
}

/** The details of an object: coverage, options, columns, and operations with their consequences. */
export function ObjectDrawer({ pipelineId, object }: ObjectDrawerProps) {
  const { data: catalog = [] } = useQuery(catalogQuery());
  const spec = catalog.find(({ name }) => name === object.object);
  return (
    <Stack gap="lg">
      <div>
        <Text>{spec?.description.replaceAll('`', '')}</Text>
        {spec ? (
          <Anchor href={spec.docs} target="_blank" rel="noreferrer" size="sm">
            Freshdesk’s documentation of this object
          </Anchor>
        ) : null}
      </div>
      <dl className="facts">
        <dt>Table</dt>
        <dd className="object-name">{object.table}</dd>
        <dt>Complete as of</dt>
        <dd>
          <Time value={object.complete_as_of} format="full" />
        </dd>
        <dt>History since</dt>
        <dd>{formatHistorySince(object.complete_back_to)}</dd>
        {object.stale_since === null ? null : (
          <>
            <dt>Later than the objective since</dt>
            <dd>
              <Time value={object.stale_since} />
            </dd>
          </>
        )}
      </dl>
      <Options key={object.object} pipelineId={pipelineId} object={object} {...(spec ? { spec } : {})} />
      {spec ? (
        <ColumnRules key={`${object.object} columns`} pipelineId={pipelineId} object={object} spec={spec} />
      ) : null}
      <ObjectOperations pipelineId={pipelineId} object={object} />
    </Stack>
  );
}

function Options({ pipelineId, object, spec }: ObjectDrawerProps & { readonly spec?: Schemas['CatalogObject'] }) {
  const [detail, setDetail] = useState(object.detail);
  const [history, setHistory] = useState(object.history);
  const [staleness, setStaleness] = useState<number | string>(object.max_staleness_minutes ?? '');
  const save = useAction(
    () =>
      api().patch('/v1/pipelines/{id}/objects/{object}', {
        params: { path: { id: pipelineId, object: object.object } },
        body: {
          history,
          max_staleness_minutes: typeof staleness === 'number' ? staleness : null,
          ...(detail === object.detail ? {} : { detail }),
        },
      }),
    { done: `Saved the options of ${object.object}.`, toastErrors: false },
  );
  const isChanged =
    detail !== object.detail ||
    history !== object.history ||
    (typeof staleness === 'number' ? staleness : null) !== object.max_staleness_minutes;
  return (
    <Stack gap="sm">
      <Title order={3}>Options</Title>
      {spec && spec.detail_columns.length > 0 ? (
        <Checkbox
          label="Read all fields"
          description={`One or two credits for each record, for the columns ${spec.detail_columns.join(', ')}. Applies to records that are read from now on.`}
          checked={detail}
          onChange={(event) => setDetail(event.currentTarget.checked)}
        />
      ) : null}
      <Checkbox
        label="Keep history"
        description="A second table with every version of a row. It begins with the current rows."
        checked={history}
        onChange={(event) => setHistory(event.currentTarget.checked)}
      />
      <NumberInput
        label="Objective of freshness, in minutes"
        description="If the table is older, Freshet sends the event freshness.missed. Leave empty for no objective."
        value={staleness}
        onChange={setStaleness}
        min={1}
        maw={320}
      />
      <ActionError error={save.error} />
      <Group>
        <GuardedButton
          permission="manage_pipelines"
          disabled={!isChanged}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          Save options
        </GuardedButton>
        {isChanged ? (
          <Button
            variant="subtle"
            color="gray"
            onClick={() => {
              setDetail(object.detail);
              setHistory(object.history);
              setStaleness(object.max_staleness_minutes ?? '');
            }}
          >
            Reset
          </Button>
        ) : null}
      </Group>
    </Stack>
  );
}
