import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import { catalogQuery } from '../../api/queries.ts';
import { Notice } from '../../components/notice.tsx';
import { Card } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { getAccountLimit } from './estimates.ts';

type Result = Schemas['PipelineTestResult'];

const SCOPES: Readonly<Record<Schemas['TicketScope'], string>> = {
  global: 'all tickets',
  group: 'the tickets of their groups',
  restricted: 'only their own tickets',
  unknown: 'tickets, with an unknown scope',
};

/** Whether a pipeline can be created with the tested key. */
export function isUsable(result: Result | undefined): boolean {
  return result !== undefined && result.error === null && result.ok;
}

/** The result of the test of an API key: who owns the key, what it may read, and the limits. */
export function AccountTestResult({ result }: { readonly result: Result }) {
  if (result.error !== null) return <FailedTest error={result.error} subdomain={result.subdomain} />;
  if (!result.ok)
    return (
      <Notice tone="failed">
        <strong>The key is valid, but may read no object.</strong> Use the API key of an agent with access to tickets,
        or of an admin.
      </Notice>
    );
  const readable = result.objects.filter(({ verdict }) => verdict === 'available');
  const limit = getAccountLimit(result.limits);
  return (
    <Card
      title="The connection works"
      description={`The key belongs to ${result.agent?.name ?? 'an agent'}, who sees ${SCOPES[result.agent?.ticket_scope ?? 'unknown']}.`}
    >
      <Stack gap="sm">
        <dl className="facts">
          <dt>Objects that the key may read</dt>
          <dd>
            {readable.length} of {result.objects.length}
          </dd>
          <dt>Rate limit of the account</dt>
          <dd>{limit === null ? 'unknown' : `${formatNumber(limit)} credits a minute`}</dd>
        </dl>
        {result.sees_all_tickets ? null : (
          <Notice tone="attention">
            <strong>This agent does not see all tickets.</strong> Freshdesk leaves out the other tickets without an
            error, so your reports would be incomplete. Use the key of an agent with global access.
          </Notice>
        )}
        <UnreadableObjects objects={result.objects} />
      </Stack>
    </Card>
  );
}

function UnreadableObjects({ objects }: { readonly objects: Result['objects'] }) {
  const { data: catalog = [] } = useQuery(catalogQuery());
  const titles = new Map(catalog.map(({ name, title }) => [name, title]));
  const others = objects.filter(({ verdict }) => verdict !== 'available');
  if (others.length === 0) return <Text size="sm">The key may read all objects.</Text>;
  return (
    <details>
      <summary>{formatCount(others.length, 'object')} not available</summary>
      <Stack gap={6} mt="xs">
        {others.map(({ object, verdict, message }) => (
          <Group key={object} gap="xs" wrap="nowrap" align="flex-start">
            <Status value={verdict} />
            <Text size="sm">
              <strong>{titles.get(object) ?? object}</strong>
              {message === null ? '' : `: ${message}`}
            </Text>
          </Group>
        ))}
      </Stack>
    </details>
  );
}

const ADVICE: Readonly<Record<string, string>> = {
  source_auth:
    'Copy the key again: an API key changes when the agent resets it, and stops working when the agent is deactivated.',
  source_unavailable: 'Check your network and Freshdesk’s status page, then test again.',
};

function FailedTest({ error, subdomain }: { readonly error: Schemas['Failure']; readonly subdomain: string }) {
  return (
    <div role="alert">
      <Notice tone="failed">
        <strong>{subdomain}.freshdesk.com cannot be read.</strong> {error.message} {ADVICE[error.code] ?? ''}
      </Notice>
    </div>
  );
}
