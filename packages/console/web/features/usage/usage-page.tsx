import { SimpleGrid, Stack } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { Schemas } from '../../api/client.ts';
import { allPipelinesQuery, budgetQuery, usageQuery } from '../../api/queries.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Card, PageHeader, TextLink } from '../../components/page.tsx';
import { Empty, Loading, QueryView } from '../../components/states.tsx';
import { formatBytes, formatNumber } from '../../format/numbers.ts';
import { BudgetCard } from './budget-card.tsx';

const UsageCharts = lazy(() => import('./usage-charts.tsx'));

type Usage = Schemas['Usage'];

/** The records, credits and freshness of all pipelines in the last 30 days. */
export function UsagePage() {
  const query = useQuery(usageQuery());
  const { data: pipelines = [] } = useQuery(allPipelinesQuery());
  return (
    <>
      <PageHeader
        title="Usage"
        help="credits"
        description="Records, freshness and credits of the last 30 days. Days are in UTC."
      />
      <QueryView query={query}>
        {(usage) => (
          <Stack>
            <Suspense fallback={<Loading label="Loading charts" />}>
              <UsageCharts usage={usage} />
            </Suspense>
            <Budgets pipelines={pipelines} />
            <ByPipeline usage={usage} pipelines={pipelines} />
          </Stack>
        )}
      </QueryView>
    </>
  );
}

/** The accounts whose rate limit is displayed. */
const ACCOUNTS_SHOWN = 6;

function Budgets({ pipelines }: { readonly pipelines: readonly Schemas['Pipeline'][] }) {
  const subdomains = [...new Set(pipelines.map((p) => p.source.subdomain))].slice(0, ACCOUNTS_SHOWN);
  const budgets = useQueries({ queries: subdomains.map((subdomain) => budgetQuery(subdomain)) });
  const loaded = budgets.flatMap(({ data }) => data ?? []);
  if (loaded.length === 0) return null;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {loaded.map((budget) => (
        <BudgetCard key={budget.subdomain} budget={budget} />
      ))}
    </SimpleGrid>
  );
}

function ByPipeline({
  usage,
  pipelines,
}: {
  readonly usage: readonly Usage[];
  readonly pipelines: readonly Schemas['Pipeline'][];
}) {
  const names = new Map(pipelines.map(({ id, name }) => [id, name]));
  const rows = [...Map.groupBy(usage, (row) => row.pipeline_id)]
    .map(([id, members]) => ({
      id,
      name: names.get(id) ?? 'deleted pipeline',
      credits: sum(members, (row) => row.credits_used),
      extracted: sum(members, (row) => row.records_extracted),
      loaded: sum(members, (row) => row.records_loaded),
      bytes: sum(members, (row) => row.bytes_staged),
    }))
    .sort((a, b) => b.credits - a.credits);
  return (
    <Card title="By pipeline" description="Sums of the last 30 days">
      {rows.length === 0 ? (
        <Empty title="No usage yet" icon="usage">
          Usage appears after the first run of a pipeline.
        </Empty>
      ) : (
        <DataTable
          label="Usage by pipeline"
          rows={rows}
          getKey={({ id }) => id}
          columns={[
            { title: 'Pipeline', cell: ({ id, name }) => <TextLink to={`/pipelines/${id}`}>{name}</TextLink> },
            { title: 'Credits', isNumber: true, cell: (row) => formatNumber(row.credits) },
            { title: 'Records read', isNumber: true, cell: (row) => formatNumber(row.extracted) },
            { title: 'Records loaded', isNumber: true, cell: (row) => formatNumber(row.loaded) },
            { title: 'Size', isNumber: true, cell: (row) => formatBytes(row.bytes) },
          ]}
        />
      )}
    </Card>
  );
}

function sum(rows: readonly Usage[], getValue: (row: Usage) => number): number {
  return rows.reduce((total, row) => total + getValue(row), 0);
}
