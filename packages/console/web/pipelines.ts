import type { VNode } from 'preact';
import {
  ago,
  byDay,
  Chart,
  count,
  creditsByDay,
  freshet,
  html,
  lagByDay,
  Problem,
  type Schemas,
  Stacked,
  Status,
  span,
  Table,
  useLoaded,
} from './ui.ts';

type Pipeline = Schemas['Pipeline'];

const PIPELINES_SHOWN = 200;

async function read() {
  const api = freshet();
  const [pipelines, runs, usage] = await Promise.all([
    api.get('/v1/pipelines', { params: { query: { limit: PIPELINES_SHOWN } } }),
    api.get('/v1/runs', { params: { query: { limit: PIPELINES_SHOWN } } }),
    api.get('/v1/usage'),
  ]);
  const newest = new Map(runs.data.toReversed().map((run) => [run.pipeline_id, run]));
  const records = byDay(usage.data, (u) => u.records_extracted);
  const credits = creditsByDay(usage.data);
  return { pipelines: pipelines.data, newest, records, credits, lags: lagByDay(usage.data) };
}

/** All pipelines, and how fresh they are, at a glance. */
export function Pipelines(): VNode {
  const { value, error } = useLoaded(read, 'pipelines');
  if (value === null) return html`<h1>Pipelines</h1><${Problem} error=${error} />`;
  const { pipelines, newest, records, credits, lags } = value;
  /** The table that is furthest behind says how fresh a pipeline is. */
  const freshAsOf = (p: Pipeline) => {
    const times = (newest.get(p.id)?.objects ?? []).flatMap((o) =>
      o.complete_as_of === null ? [] : [o.complete_as_of],
    );
    return times.sort()[0] ?? null;
  };
  const columns = [
    { title: 'Pipeline', cell: (p: Pipeline) => html`<a href=${`#/pipelines/${p.id}`}>${p.name}</a>` },
    {
      title: 'State',
      cell: (p: Pipeline) =>
        html`<${Status} of=${p.status} />${p.paused_by === null ? '' : html` <span class="quiet">by ${p.paused_by.replaceAll('_', ' ')}</span>`}`,
    },
    { title: 'Complete as of', cell: (p: Pipeline) => ago(freshAsOf(p)) },
    {
      title: 'Newest run',
      cell: (p: Pipeline) => {
        const run = newest.get(p.id);
        return run
          ? html`<a href=${`#/runs/${run.id}`}><${Status} of=${run.status} /></a> ${ago(run.created_at)}`
          : 'none';
      },
    },
    { title: 'Next run', cell: (p: Pipeline) => (p.status === 'active' ? ago(p.next_run_at) : '—') },
    {
      title: 'Rejected',
      number: true,
      cell: (p: Pipeline) => count((newest.get(p.id)?.objects ?? []).reduce((n, o) => n + o.records_rejected, 0)),
    },
  ];
  return html`<h1>Pipelines</h1><${Problem} error=${error} />
    <${Table} caption="Pipelines" columns=${columns} rows=${pipelines} empty="There is no pipeline yet." />
    <p><a href="#/new">Make a pipeline</a></p>
    <h2>The last 30 days</h2><${Chart} title="Records read by day" points=${records} /><${Stacked} title="Credits spent by day, and what for" parts=${credits} />
    <${Chart} title="Longest lag by day, of the table that was furthest behind" points=${lags} format=${span} />`;
}
