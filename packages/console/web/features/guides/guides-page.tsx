import { Anchor, Grid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { allPipelinesQuery } from '../../api/queries.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { Card, PageHeader, TextLink } from '../../components/page.tsx';
import { ApiKeyHelp } from '../wizard/api-key-help.tsx';
import { buildGrantSql } from '../wizard/inputs.ts';

/** Short guides for the tasks that this console starts. */
export function GuidesPage() {
  const { data: pipelines = [] } = useQuery(allPipelinesQuery());
  const schema = pipelines[0]?.destination_schema ?? 'freshdesk_acme';
  return (
    <>
      <PageHeader title="Guides" help="quickstart" />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Stack>
            <ApiKeyHelp subdomain={null} />
            <Card
              title="Prepare a warehouse"
              description="Freshet needs a role that owns the schema, and no other privileges."
            >
              <CodeBlock
                label="SQL that creates the role"
                code={buildGrantSql({ database: '', username: '', schema })}
              />
            </Card>
            <Card title="Get notified of problems">
              <Text size="sm">
                Create an alert under <TextLink to="/webhooks">Alerts & webhooks</TextLink>. Freshet then notifies you
                of failed runs, late tables and refused API keys.
              </Text>
            </Card>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Stack>
            <QueryGuide schema={schema} />
            <Card title="Automate">
              <Text size="sm">
                Everything in this console is available over the API. See the{' '}
                <Anchor href="/docs" inherit>
                  API reference
                </Anchor>{' '}
                and the{' '}
                <Anchor href="/docs/errors" inherit>
                  list of errors
                </Anchor>
                .
              </Text>
            </Card>
          </Stack>
        </Grid.Col>
      </Grid>
    </>
  );
}

function QueryGuide({ schema }: { readonly schema: string }) {
  return (
    <Card title="Query the tables" description="Connect any SQL client to the warehouse.">
      <Stack gap="sm">
        <Text size="sm">
          Each object is a table with typed columns. Deleted records stay, with the time of the deletion:
        </Text>
        <CodeBlock
          label="SQL that counts tickets by priority"
          code={`select p.label as priority, count(*) as tickets
from ${schema}.tickets t
join ${schema}.ticket_priorities p
  on p.id = t.priority
where t._freshet_deleted_at is null
  and t.created_at > now() - interval '7 days'
group by 1
order by 2 desc;`}
        />
        <Text size="sm">How current and how far back each table is complete:</Text>
        <CodeBlock
          label="SQL that lists the coverage of the tables"
          code={`select table_name, row_count,
  complete_as_of, complete_back_to
from ${schema}._freshet_objects
order by 1;`}
        />
      </Stack>
    </Card>
  );
}
