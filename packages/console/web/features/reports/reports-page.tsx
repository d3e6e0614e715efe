import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Schemas } from '../../api/client.ts';
import { allPipelinesQuery } from '../../api/queries.ts';
import { Card, PageHeader, TextLink } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import type { ReportSearch } from './report-search.ts';
import { Reports } from './reports.tsx';

/** The support reports of a pipeline that the user selects. */
export function ReportsPage() {
  const search = useSearch({ from: '/reports' });
  const navigate = useNavigate({ from: '/reports' });
  const update = (changes: ReportSearch) =>
    void navigate({ search: (previous: ReportSearch) => ({ ...previous, ...changes }), replace: true });
  const query = useQuery(allPipelinesQuery());
  const pipelines = query.data ?? [];
  const selected = pipelines.find(({ id }) => id === search.pipeline) ?? findDefault(pipelines);
  return (
    <>
      <PageHeader
        title="Support reports"
        help="reports"
        beside={
          pipelines.length === 0 ? null : (
            <Select
              aria-label="Pipeline"
              data={pipelines.map(({ id, name }) => ({ value: id, label: name }))}
              value={selected?.id ?? null}
              onChange={(id) => id !== null && update({ pipeline: id })}
              allowDeselect={false}
              searchable
              w={200}
            />
          )
        }
      />
      <QueryView query={query}>
        {() =>
          selected === undefined ? (
            <Card>
              <Empty
                title="No pipelines yet"
                icon="reports"
                action={<TextLink to="/pipelines/new">Create a pipeline</TextLink>}
              >
                Reports show the tickets that a pipeline has loaded into a warehouse.
              </Empty>
            </Card>
          ) : (
            <Reports key={selected.id} pipeline={selected} search={search} onChange={update} />
          )
        }
      </QueryView>
    </>
  );
}

/** Returns the first pipeline with analytics models or, without one, the first pipeline. */
function findDefault(pipelines: readonly Schemas['Pipeline'][]): Schemas['Pipeline'] | undefined {
  return pipelines.find(({ analytics }) => analytics) ?? pipelines[0];
}
