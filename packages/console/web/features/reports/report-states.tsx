/** The states of the reports of a pipeline without figures. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { api, FreshetError, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card, TextLink } from '../../components/page.tsx';
import { Empty, ErrorState, Loading } from '../../components/states.tsx';

type Pipeline = Schemas['Pipeline'];

/** The pipeline has no analytics models. */
export function AnalyticsOff({ pipeline }: { readonly pipeline: Pipeline }) {
  const params = { path: { id: pipeline.id } };
  const enable = useAction(() => api().patch('/v1/pipelines/{id}', { params, body: { analytics: true } }), {
    done: 'Analytics is on. The models are being created.',
  });
  return (
    <Card>
      <Empty
        title="Analytics is off for this pipeline"
        icon="reports"
        action={
          <GuardedButton permission="manage_pipelines" loading={enable.isPending} onClick={() => enable.mutate()}>
            Turn on analytics
          </GuardedButton>
        }
      >
        Reports need the analytics models. Freshet creates the models in the schema{' '}
        <code>{pipeline.destination_schema}_analytics</code> of the warehouse, and refreshes them after each run. This
        uses no credits. The role of the destination needs the privilege <code>CREATE</code> on the database.
      </Empty>
    </Card>
  );
}

/** Analytics is on, but the models do not exist yet. */
export function ModelsNotReady({ pipeline }: { readonly pipeline: Pipeline }) {
  const error = pipeline.analytics_refresh?.error ?? null;
  if (error === null)
    return (
      <Card>
        <Empty title="The analytics models are being created" icon="reports">
          This usually takes less than a minute. The reports appear as soon as the models exist.
        </Empty>
        <Loading label="Waiting for the analytics models" rows={3} />
      </Card>
    );
  return (
    <Card>
      <Stack gap="md">
        <Notice tone="failed">
          <strong>The analytics models could not be created.</strong> {error.message}
        </Notice>
        <RunAgain pipeline={pipeline} />
      </Stack>
    </Card>
  );
}

function RunAgain({ pipeline }: { readonly pipeline: Pipeline }) {
  const params = { path: { id: pipeline.id } };
  const run = useAction(() => api().post('/v1/pipelines/{id}/runs', { params, body: {} }), {
    done: 'Started a run. Freshet creates the models when the run has finished.',
  });
  return (
    <Group gap="sm">
      <GuardedButton permission="run" loading={run.isPending} onClick={() => run.mutate()}>
        Run now
      </GuardedButton>
      <Text size="sm" c="dimmed">
        Freshet tries again after the next run. Check the warehouse on the page{' '}
        <TextLink to="/destinations">Destinations</TextLink>.
      </Text>
    </Group>
  );
}

interface ReportErrorProps {
  readonly error: Error;
  readonly pipeline: Pipeline;
  readonly retry: () => void;
}

/** The cause of failed reports, and the remedy. */
export function ReportError({ error, pipeline, retry }: ReportErrorProps) {
  if (!(error instanceof FreshetError)) return <ErrorState error={error} retry={retry} />;
  if (error.code === 'analytics_not_ready')
    return (
      <Card>
        <Stack gap="md">
          <Notice tone="attention">
            <strong>The analytics models do not exist.</strong> {error.message}
          </Notice>
          <RunAgain pipeline={pipeline} />
        </Stack>
      </Card>
    );
  if (!WAREHOUSE_ERRORS.test(error.code)) return <ErrorState error={error} retry={retry} />;
  return (
    <Card>
      <Empty
        title="The warehouse cannot be used"
        icon="destinations"
        action={
          <Group>
            <Button variant="default" onClick={retry}>
              Try again
            </Button>
            <TextLink to="/destinations">Test the destination</TextLink>
          </Group>
        }
      >
        {error.message} Reports query the warehouse directly, so they are unavailable. Runs continue when the warehouse
        is available again.
      </Empty>
    </Card>
  );
}

const WAREHOUSE_ERRORS = /^(warehouse_|address_refused)/;

/** The limitations of the figures: a failed refresh, and the warnings of the models. */
export function ModelNotices({
  pipeline,
  historySince,
}: {
  readonly pipeline: Pipeline;
  readonly historySince: string | null;
}) {
  const { status, error, warnings = [] } = pipeline.analytics_refresh ?? {};
  if (status !== 'failed' && historySince === null && warnings.length === 0) return null;
  return (
    <Stack gap="xs">
      {status === 'failed' && error ? (
        <Notice tone="attention">
          <strong>The last refresh of the models failed.</strong> The figures are from the previous refresh.{' '}
          {error.message}
        </Notice>
      ) : null}
      {historySince === null ? null : (
        <Notice tone="neutral">
          The warehouse contains the ticket changes since {historySince}. Figures for earlier days are incomplete.
        </Notice>
      )}
      {warnings.length === 0 ? null : (
        <details>
          <summary>
            {warnings.length === 1
              ? '1 condition limits the figures'
              : `${warnings.length} conditions limit the figures`}
          </summary>
          <ul className="plain">
            {warnings.map(({ kind, message }) => (
              <li key={`${kind} ${message}`}>{message}</li>
            ))}
          </ul>
        </details>
      )}
    </Stack>
  );
}
