import type { VNode } from 'preact';
import {
  aggregateByDay,
  Chart,
  formatDuration,
  formatNumber,
  formatRelativeTime,
  getClient,
  getCreditsByDay,
  getLagByDay,
  html,
  Problem,
  type Schemas,
  StackedChart,
  Status,
  Table,
  usePolling,
} from './ui.ts';

type Pipeline = Schemas['Pipeline'];

const PIPELINES_SHOWN = 200;

async function fetchPipelines() {
  const api = getClient();
  const [pipelines, runs, usage] = await Promise.all([
    api.get('/v1/pipelines', { params: { query: { limit: PIPELINES_SHOWN } } }),
    api.get('/v1/runs', { params: { query: { limit: PIPELINES_SHOWN } } }),
    api.get('/v1/usage'),
  ]);
  const newest = new Map(runs.data.toReversed().map((run) => [run.pipeline_id, run]));
  const records = aggregateByDay(usage.data, (u) => u.records_extracted);
  const credits = getCreditsByDay(usage.data);
  return { pipelines: pipelines.data, newest, records, credits, lags: getLagByDay(usage.data) };
}

/**
 * The start page: all pipelines with their status and freshness, and the usage of the last 30 days.
 */
export function Pipelines(): VNode {
  const { value, error } = usePolling(fetchPipelines, 'pipelines');
  if (value === null) return html`<h1>Pipelines</h1><${Problem} error=${error} />`;
  const { pipelines, newest, records, credits, lags } = value;
  /**
   * Returns the time of the least fresh table, because a pipeline is only as fresh as that table.
   */
  const getFreshAsOf = (p: Pipeline) => {
    const times = (newest.get(p.id)?.objects ?? []).flatMap((o) =>
      o.complete_as_of === null ? [] : [o.complete_as_of],
    );
    return times.sort()[0] ?? null;
  };
  const columns = [
    { title: 'Pipeline', cell: (p: Pipeline) => html`<a href=${`#/pipelines/${p.id}`}>${p.name}</a>` },
    {
      title: 'Status',
      cell: (p: Pipeline) =>
        html`<${Status} value=${p.status} />${p.paused_by === null ? '' : html` <span class="quiet">by ${p.paused_by.replaceAll('_', ' ')}</span>`}`,
    },
    { title: 'Fresh as of', cell: (p: Pipeline) => formatRelativeTime(getFreshAsOf(p)) },
    {
      title: 'Latest run',
      cell: (p: Pipeline) => {
        const run = newest.get(p.id);
        return run
          ? html`<a href=${`#/runs/${run.id}`}><${Status} value=${run.status} /></a> ${formatRelativeTime(run.created_at)}`
          : 'none';
      },
    },
    { title: 'Next run', cell: (p: Pipeline) => (p.status === 'active' ? formatRelativeTime(p.next_run_at) : '—') },
    {
      title: 'Rejected',
      number: true,
      cell: (p: Pipeline) =>
        formatNumber((newest.get(p.id)?.objects ?? []).reduce((n, o) => n + o.records_rejected, 0)),
    },
  ];
  return html`<h1>Pipelines</h1><${Problem} error=${error} />
    <${Table} caption="Pipelines" columns=${columns} rows=${pipelines} empty="No pipelines yet." />
    <p><a href="#/new">Create pipeline</a></p>
    <h2>Last 30 days</h2><${Chart} title="Records extracted per day" points=${records} /><${StackedChart} title="Credits used per day, by class" parts=${credits} />
    <${Chart} title="Maximum lag per day, over all tables" points=${lags} format=${formatDuration} />`;
}
