import { Button, Group, NumberInput, SegmentedControl, Select, Stack, Switch, TextInput, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, FreshetError, getEtag, ifMatch, type Schemas } from '../../api/client.ts';
import { budgetQuery, pipelineQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card } from '../../components/page.tsx';
import { ActionError } from '../../components/states.tsx';
import { ScheduleFields } from '../schedule/schedule-fields.tsx';
import { CreditShare } from '../wizard/schedule-step.tsx';

type Pipeline = Schemas['Pipeline'];

interface SettingsFormProps {
  readonly pipeline: Pipeline;
  /** Discards the entries, and shows the current values. */
  readonly onReload: () => void;
}

/** The values that the form edits. */
function toValues(p: Pipeline) {
  return {
    name: p.name,
    frequencyMinutes: p.frequency_minutes,
    schedule: p.schedule,
    creditSharePercent: p.source.credit_share_percent,
    priority: p.priority,
    auditDays: p.audit_frequency_days,
    schemaPolicy: p.schema_policy,
    spike: p.record_spike,
    quota: p.monthly_quota,
  };
}
type Values = ReturnType<typeof toValues>;

function toUpdate(values: Values): Schemas['PipelineUpdate'] {
  return {
    name: values.name.trim(),
    source: { credit_share_percent: values.creditSharePercent },
    frequency_minutes: values.frequencyMinutes,
    schedule: values.schedule,
    priority: values.priority,
    audit_frequency_days: values.auditDays,
    schema_policy: values.schemaPolicy,
    record_spike: values.spike,
    monthly_quota: values.quota,
  };
}

/** Edits the settings. The update applies only to the version that the form shows. */
export function SettingsForm({ pipeline, onReload }: SettingsFormProps) {
  const [initial] = useState(() => ({ values: toValues(pipeline), etag: getEtag(`/v1/pipelines/${pipeline.id}`) }));
  const [values, setValues] = useState(initial.values);
  const [etag, setEtag] = useState(initial.etag);
  const queryClient = useQueryClient();
  const save = useAction(
    (force: boolean) =>
      api().patch('/v1/pipelines/{id}', {
        params: { path: { id: pipeline.id } },
        headers: force ? {} : ifMatch(etag),
        body: toUpdate(values),
      }),
    {
      done: 'Saved the settings.',
      toastErrors: false,
      onDone: (updated) => {
        queryClient.setQueryData(pipelineQuery(pipeline.id).queryKey, updated);
        setEtag(getEtag(`/v1/pipelines/${pipeline.id}`));
        setValues(toValues(updated));
      },
    },
  );
  const set = (changes: Partial<Values>) => setValues((before) => ({ ...before, ...changes }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(false);
  };
  return (
    <form onSubmit={submit}>
      <Card title="Settings">
        <Stack gap="lg">
          <TextInput
            label="Name"
            value={values.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            required
            maxLength={255}
            maw={360}
          />
          <ScheduleFields
            frequencyMinutes={values.frequencyMinutes}
            schedule={values.schedule}
            onChange={set}
            nextRunAt={pipeline.next_run_at}
          />
          <LoadFields values={values} set={set} subdomain={pipeline.source.subdomain} />
          <QualityFields values={values} set={set} />
          <LimitFields values={values} set={set} />
          <ActionError
            error={save.error}
            action={<ConflictActions error={save.error} onReload={onReload} onOverwrite={() => save.mutate(true)} />}
          />
          <Group>
            <GuardedButton permission="manage_pipelines" type="submit" loading={save.isPending}>
              Save
            </GuardedButton>
          </Group>
        </Stack>
      </Card>
    </form>
  );
}

interface ConflictActionsProps {
  readonly error: Error | null;
  readonly onReload: () => void;
  readonly onOverwrite: () => void;
}

function ConflictActions({ error, onReload, onOverwrite }: ConflictActionsProps) {
  if (!(error instanceof FreshetError && error.status === 412)) return null;
  return (
    <Group gap="xs">
      <Button variant="default" onClick={onReload}>
        Load the current values
      </Button>
      <Button variant="default" onClick={onOverwrite}>
        Overwrite with my values
      </Button>
    </Group>
  );
}

interface FieldsProps {
  readonly values: Values;
  readonly set: (changes: Partial<Values>) => void;
}

function LoadFields({ values, set, subdomain }: FieldsProps & { readonly subdomain: string }) {
  const { data: budget } = useQuery(budgetQuery(subdomain));
  const limit = budget?.buckets.find(({ bucket }) => bucket === 'account')?.total ?? null;
  return (
    <Stack gap="sm">
      <Title order={3}>Share of the rate limit</Title>
      <CreditShare
        percent={values.creditSharePercent}
        limit={limit}
        onChange={(creditSharePercent) => set({ creditSharePercent })}
      />
      <Select
        label="Priority"
        description="Jobs of pipelines with high priority run before other jobs with the same urgency."
        data={[
          { value: 'normal', label: 'Normal' },
          { value: 'high', label: 'High' },
        ]}
        value={values.priority}
        onChange={(priority) => set({ priority: (priority ?? 'normal') as Pipeline['priority'] })}
        allowDeselect={false}
        maw={360}
      />
    </Stack>
  );
}

function QualityFields({ values, set }: FieldsProps) {
  return (
    <Stack gap="sm">
      <Title order={3}>Correctness</Title>
      <NumberInput
        label="Audit every … days"
        description="An audit compares the tables with Freshdesk, with credits that are left over. Leave empty for audits on request only."
        value={values.auditDays ?? ''}
        onChange={(days) => set({ auditDays: typeof days === 'number' ? days : null })}
        min={1}
        max={365}
        maw={360}
      />
      <div>
        <Title order={3} mb={4}>
          Schema policy
        </Title>
        <SegmentedControl
          aria-label="Schema policy"
          value={values.schemaPolicy}
          onChange={(value) => set({ schemaPolicy: value as Pipeline['schema_policy'] })}
          data={[
            { value: 'evolve', label: 'Evolve' },
            { value: 'freeze', label: 'Freeze' },
            { value: 'discard', label: 'Discard' },
          ]}
        />
        <p className="hint">{POLICIES[values.schemaPolicy]}</p>
      </div>
    </Stack>
  );
}

const POLICIES: Readonly<Record<Pipeline['schema_policy'], string>> = {
  evolve:
    'A value that does not fit its column is stored in _freshet_extra with a note, and the column of a custom field is widened.',
  freeze: 'A record with a value that does not fit is rejected, and can be replayed after a correction.',
  discard: 'A value that does not fit is left out, and the row gets a note.',
};

const DEFAULT_SPIKE = { percent: 300, pause: false } as const;
const DEFAULT_QUOTA = { records: 1_000_000, when_reached: 'continue' } as const;

function LimitFields({ values, set }: FieldsProps) {
  const { spike, quota } = values;
  return (
    <Stack gap="sm">
      <Title order={3}>Alerts and quotas</Title>
      <Switch
        label="Alert on a record spike"
        description="A sync that reads far more records than usual sends the event records.spiked."
        checked={spike !== null}
        onChange={(event) => set({ spike: event.currentTarget.checked ? DEFAULT_SPIKE : null })}
      />
      {spike === null ? null : (
        <Group align="flex-end" gap="md">
          <NumberInput
            label="Threshold, % of the average"
            value={spike.percent}
            min={101}
            onChange={(percent) => typeof percent === 'number' && set({ spike: { ...spike, percent } })}
          />
          <Switch
            label="Also pause the pipeline"
            checked={spike.pause}
            onChange={(event) => set({ spike: { ...spike, pause: event.currentTarget.checked } })}
          />
        </Group>
      )}
      <Switch
        label="Monthly quota"
        description="Limits the records that are read in a calendar month (UTC)."
        checked={quota !== null}
        onChange={(event) => set({ quota: event.currentTarget.checked ? DEFAULT_QUOTA : null })}
      />
      {quota === null ? null : (
        <Group align="flex-end" gap="md">
          <NumberInput
            label="Records per month"
            value={quota.records}
            min={1}
            thousandSeparator=","
            onChange={(records) => typeof records === 'number' && set({ quota: { ...quota, records } })}
          />
          <Select
            label="When reached"
            data={[
              { value: 'continue', label: 'Send an alert' },
              { value: 'pause', label: 'Pause the pipeline' },
            ]}
            value={quota.when_reached}
            onChange={(action) =>
              set({ quota: { ...quota, when_reached: (action ?? 'continue') as Schemas['QuotaAction'] } })
            }
            allowDeselect={false}
          />
        </Group>
      )}
    </Stack>
  );
}
