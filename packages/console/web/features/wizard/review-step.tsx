import { Button, Grid, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, type Schemas } from '../../api/client.ts';
import { catalogQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { CodeBlock } from '../../components/copy.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card, Figure } from '../../components/page.tsx';
import { ActionError, ErrorState, Loading } from '../../components/states.tsx';
import { formatApproximate, formatCount, formatDuration, formatNumber } from '../../format/numbers.ts';
import { DestinationTestResult } from '../connections/destination-test-result.tsx';
import { describeSchedule } from '../pipelines/pipeline-state.ts';
import { deleteDraft } from './draft-storage.ts';
import { buildPipelineInput } from './pipeline-input.ts';
import { accountTestQuery, planQuery } from './queries.ts';
import { StepButtons } from './step-list.tsx';
import type { StepProps } from './use-draft.ts';

/** The last step: the preview of the pipeline, and its creation. */
export function ReviewStep(props: StepProps) {
  const { draft, onBack } = props;
  const { data: catalog } = useQuery(catalogQuery());
  const { data: test } = useQuery(accountTestQuery(draft.subdomain, draft.credentialId));
  if (catalog === undefined || test === undefined) return <Loading />;
  const isReadable = (name: string) => test.objects.some((o) => o.object === name && o.verdict === 'available');
  return <Review {...props} onBack={onBack} input={buildPipelineInput(draft, catalog, isReadable)} />;
}

function Review({ draft, onBack, input }: StepProps & { readonly input: Schemas['PipelineInput'] }) {
  const navigate = useNavigate();
  const plan = useQuery(planQuery(input));
  const create = useAction(() => api().post('/v1/pipelines', { body: input }), {
    done: (pipeline) => `Created ${pipeline.name}. The first sync starts in a few seconds.`,
    onDone: ({ id }) => {
      deleteDraft();
      void navigate({ to: '/pipelines/$id', params: { id } });
    },
    toastErrors: false,
  });
  const isReady = plan.data?.account.ok && plan.data.destination.usable;
  return (
    <>
      <Stack>
        <Choices draft={draft} input={input} />
        {plan.data ? (
          <Plan plan={plan.data} input={input} />
        ) : plan.error ? (
          <Card>
            <ErrorState error={plan.error} retry={() => void plan.refetch()} />
          </Card>
        ) : (
          <Card title="Checking both connections and estimating the first sync …">
            <Loading rows={3} />
          </Card>
        )}
        <ActionError error={create.error} />
      </Stack>
      <StepButtons onBack={onBack}>
        <Button onClick={() => create.mutate()} loading={create.isPending} disabled={!isReady}>
          Create pipeline
        </Button>
      </StepButtons>
    </>
  );
}

function Choices({ draft, input }: { readonly draft: StepProps['draft']; readonly input: Schemas['PipelineInput'] }) {
  const { historicalSyncDays: days } = draft;
  return (
    <Card title={draft.name}>
      <dl className="facts facts-start">
        <dt>Account</dt>
        <dd>{draft.subdomain}.freshdesk.com</dd>
        <dt>History</dt>
        <dd>{days === null ? 'all' : `the last ${formatCount(days, 'day')}`}</dd>
        <dt>Schema</dt>
        <dd>{input.destination_schema}</dd>
        <dt>Schedule</dt>
        <dd>{describeSchedule({ schedule: draft.schedule, frequency_minutes: draft.frequencyMinutes })}</dd>
        <dt>Share of the rate limit</dt>
        <dd>{draft.creditSharePercent} %</dd>
      </dl>
    </Card>
  );
}

function Plan({ plan, input }: { readonly plan: Schemas['PipelinePlan']; readonly input: Schemas['PipelineInput'] }) {
  const { estimate, tables, statements, account, destination } = plan;
  const existing = tables.filter(({ exists }) => exists);
  const sql = [...statements, ...tables.flatMap((table) => table.statements)].join('\n\n');
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
        <Figure
          label="Tables"
          value={tables.length}
          note={existing.length > 0 ? `${existing.length} exist already` : 'all are new'}
        />
        <Figure label="Rows, first sync" value={estimate === null ? '—' : formatApproximate(estimate.records)} />
        <Figure
          label="Credits, first sync"
          value={estimate === null ? '—' : formatNumber(estimate.credits)}
          note={estimate === null ? '' : `then at least ${formatNumber(estimate.unchanged_credits)} each sync`}
        />
        <Figure label="Time, first sync" value={estimate === null ? '—' : formatDuration(estimate.minutes * 60)} />
      </SimpleGrid>
      {account.error ? (
        <Notice tone="failed">
          <strong>The account cannot be read.</strong> {account.error.message}
        </Notice>
      ) : null}
      {destination.usable ? null : (
        <DestinationTestResult result={destination} schema={input.destination_schema ?? ''} />
      )}
      {account.ok && !account.sees_all_tickets ? (
        <Notice tone="attention">
          <strong>The agent of this key does not see all tickets.</strong> The tables will contain only the tickets that
          the agent sees.
        </Notice>
      ) : null}
      {existing.length > 0 ? (
        <Notice tone="attention">
          <strong>{formatCount(existing.length, 'table')} exist already in this schema.</strong> Freshet adds missing
          columns, and merges the records by their keys.
        </Notice>
      ) : null}
      {sql === '' ? null : (
        <Card title="Tables" description="Freshet runs this SQL during the first sync.">
          <Grid gap="sm">
            <Grid.Col span={12}>
              <Group gap="4px 16px">
                {tables.map(({ table, object }) => (
                  <Text key={object} className="object-name" component="span">
                    {table}
                  </Text>
                ))}
              </Group>
            </Grid.Col>
          </Grid>
          <details>
            <summary>Show the SQL</summary>
            <div className="limited">
              <CodeBlock label="SQL that creates the tables" code={sql} />
            </div>
          </details>
        </Card>
      )}
    </>
  );
}
