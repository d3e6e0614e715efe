import { SimpleGrid, Stack } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { Schemas } from '../../api/client.ts';
import { budgetQuery, usageByDayQuery, usageByPipelineQuery } from '../../api/queries.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Card, PageHeader, TextLink } from '../../components/page.tsx';
import { type CursorPages, PageButtons, useCursorPages } from '../../components/pages.tsx';
import { Empty, Loading, QueryView } from '../../components/states.tsx';
import { formatBytes, formatNumber } from '../../format/numbers.ts';
import { BudgetCard } from './budget-card.tsx';

const UsageCharts = lazy(() => import('./usage-charts.tsx'));

type UsageByPipeline = Schemas['UsageByPipeline'];

/** The records, credits and freshness of all pipelines in the last 30 days. */
export function UsagePage() {
  const byDay = useQuery(usageByDayQuery());
  const pages = useCursorPages();
  const byPipeline = useQuery(usageByPipelineQuery(pages.cursor));
  return (
    <>
      <PageHeader
        title="Usage"
        help="credits"
        description="Records, freshness and credits of the last 30 days. Days are in UTC."
      />
      <QueryView query={byDay}>
        {(usage) => (
          <Stack>
            <Suspense fallback={<Loading label="Loading charts" />}>
              <UsageCharts usage={usage} />
            </Suspense>
            <QueryView query={byPipeline} hidesNotice={byDay.error !== null}>
              {({ data, next_cursor }) => (
                <>
                  <Budgets usage={data} />
                  <ByPipeline usage={data} pages={pages} nextCursor={next_cursor} />
                </>
              )}
            </QueryView>
          </Stack>
        )}
      </QueryView>
    </>
  );
}

/** The accounts whose rate limit is displayed. */
const ACCOUNTS_SHOWN = 6;

/** The rate limits of the accounts that use the most credits on the displayed page. */
function Budgets({ usage }: { readonly usage: readonly UsageByPipeline[] }) {
  const subdomains = [...new Set(usage.map(({ subdomain }) => subdomain))].slice(0, ACCOUNTS_SHOWN);
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

interface ByPipelineProps {
  readonly usage: readonly UsageByPipeline[];
  readonly pages: CursorPages;
  readonly nextCursor: string | null;
}

function ByPipeline({ usage, pages, nextCursor }: ByPipelineProps) {
  return (
    <Card title="By pipeline" description="Sums of the last 30 days. The pipeline that used the most credits is first.">
      {usage.length === 0 ? (
        <Empty title="No usage yet" icon="usage">
          Usage appears after the first run of a pipeline.
        </Empty>
      ) : (
        <DataTable
          label="Usage by pipeline"
          rows={usage}
          getKey={({ pipeline_id }) => pipeline_id}
          columns={[
            {
              title: 'Pipeline',
              cell: ({ pipeline_id, name }) => <TextLink to={`/pipelines/${pipeline_id}`}>{name}</TextLink>,
            },
            { title: 'Credits', isNumber: true, cell: (row) => formatNumber(row.credits_used) },
            { title: 'Records read', isNumber: true, cell: (row) => formatNumber(row.records_extracted) },
            { title: 'Records loaded', isNumber: true, cell: (row) => formatNumber(row.records_loaded) },
            { title: 'Size', isNumber: true, cell: (row) => formatBytes(row.bytes_staged) },
          ]}
        />
      )}
      <PageButtons pages={pages} nextCursor={nextCursor} />
    </Card>
  );
}
