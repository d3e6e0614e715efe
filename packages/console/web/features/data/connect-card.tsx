import { Anchor, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import { destinationsQuery } from '../../api/queries.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { getHelpUrl, HELP_TOPICS } from '../../components/help-topics.ts';
import { Card, Figure } from '../../components/page.tsx';
import { formatBytes, formatNumber } from '../../format/numbers.ts';
import { buildPsqlCommand } from './sql.ts';
import type { Table } from './tables.ts';

interface ConnectCardProps {
  readonly pipeline?: Schemas['Pipeline'];
  readonly tables: readonly Table[];
}

/** The totals of the warehouse, and the command that connects to it. */
export function ConnectCard({ pipeline, tables }: ConnectCardProps) {
  const counted = tables.filter(({ kind, row_count_exact: isExact }) => kind === 'object' && isExact);
  const rows = counted.reduce((sum, { row_count: count }) => sum + (count ?? 0), 0);
  const bytes = tables.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0);
  const models = tables.filter(({ kind, internal }) => kind === 'model' && !internal).length;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, lg: 4 }} spacing="md">
        <Figure label="Object tables" value={formatNumber(tables.filter(({ kind }) => kind === 'object').length)} />
        <Figure
          label="Rows"
          value={formatNumber(rows)}
          definition="The rows in the tables of objects, including rows that are marked as deleted, but without histories and models."
        />
        <Figure label="Analytics models" value={formatNumber(models)} />
        <Figure
          label="Size"
          value={formatBytes(bytes)}
          definition="The size of all tables of this pipeline, including indexes."
        />
      </SimpleGrid>
      <Card title="Connect" description="Connect with psql, or use the same address in any SQL client.">
        <Stack gap="sm">
          {pipeline ? <PsqlCommand pipeline={pipeline} tables={tables} /> : null}
          <Text size="sm" c="dimmed">
            Freshet never shows the password. Readers need their own role:{' '}
            <Anchor href={getHelpUrl(HELP_TOPICS.readers)} target="_blank" rel="noreferrer" inherit>
              grant access to readers
              <span className="sr-only">, opens in a new tab</span>
            </Anchor>
            .
          </Text>
        </Stack>
      </Card>
    </Stack>
  );
}

/** The command that opens `psql`. Shows nothing until the destination is known. */
export function PsqlCommand({
  pipeline,
  tables,
}: {
  readonly pipeline: Schemas['Pipeline'];
  readonly tables: readonly Table[];
}) {
  const { data: destinations = [] } = useQuery(destinationsQuery());
  const destination = destinations.find(({ id }) => id === pipeline.destination_id);
  if (destination === undefined) return null;
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  return <CodeBlock label="Command that connects to the warehouse" code={buildPsqlCommand(destination, schemas)} />;
}
