import type { VNode } from 'preact';
import {
  formatBytes,
  formatNumber,
  formatRelativeTime,
  getClient,
  html,
  Problem,
  type Schemas,
  Status,
  Table,
  useAction,
  usePolling,
} from './ui.ts';

type DeadJob = Schemas['DeadJob'];
type Process = Schemas['SystemProcess'];
type Queue = Schemas['QueueDepth'];

async function fetchSystem() {
  const [system, dead] = await Promise.all([getClient().get('/v1/system'), getClient().get('/v1/dead-jobs')]);
  return { system, dead: dead.data };
}

const PROCESS_COLUMNS = [
  { title: 'Process', cell: (p: Process) => p.name },
  { title: 'Status', cell: (p: Process) => html`<${Status} value=${p.state} />` },
  { title: 'Host', cell: (p: Process) => `${p.host} (${p.pid})` },
  { title: 'Started', cell: (p: Process) => formatRelativeTime(p.started_at) },
  { title: 'CPU cores', number: true, cell: (p: Process) => (p.cpu === null ? '—' : formatNumber(p.cpu)) },
  {
    title: 'Memory',
    number: true,
    cell: (p: Process) => (p.memory_bytes === null ? '—' : formatBytes(p.memory_bytes)),
  },
];

const QUEUE_COLUMNS = [
  { title: 'Queue', cell: (q: Queue) => q.queue },
  { title: 'Ready', number: true, cell: (q: Queue) => formatNumber(q.ready) },
  { title: 'Active', number: true, cell: (q: Queue) => formatNumber(q.active) },
  { title: 'Deferred', number: true, cell: (q: Queue) => formatNumber(q.deferred) },
  { title: 'Oldest job', number: true, cell: (q: Queue) => `${formatNumber(q.oldest_seconds)} s` },
];

/** The page of the deployment: its processes, queues and dead jobs. */
export function SystemPage(): VNode {
  const { value, error, refresh: again } = usePolling(fetchSystem, 'system', 2000);
  const { act, busy, error: refused } = useAction(again);
  if (value === null) return html`<h1>System</h1><${Problem} error=${error} />`;
  const { system, dead } = value;
  const renderCard = (name: string, shown: string) => html`<div class="card">${name}<b>${shown}</b></div>`;
  const path = (job: DeadJob) => ({ params: { path: { id: job.id } } });
  const columns = [
    { title: 'Queue', cell: (j: DeadJob) => j.queue },
    { title: 'Reason', cell: (j: DeadJob) => j.reason },
    { title: 'Attempts', number: true, cell: (j: DeadJob) => formatNumber(j.attempts) },
    { title: 'Since', cell: (j: DeadJob) => formatRelativeTime(j.died_at) },
    {
      title: '',
      cell: (
        j: DeadJob,
      ) => html`<button type="button" disabled=${busy} onClick=${() => act(() => getClient().post('/v1/dead-jobs/{id}/redrive', path(j)))}>Retry</button>
        <button type="button" disabled=${busy} onClick=${() => act(() => getClient().delete('/v1/dead-jobs/{id}', path(j)))}>Discard</button>`,
    },
  ];
  return html`<h1>System</h1><${Problem} error=${refused ?? error} />
    <div class="cards">${renderCard('Open runs', formatNumber(system.open_runs))}${renderCard('Waiting to be loaded', formatBytes(system.unloaded_bytes))}${renderCard('Rejected records', formatNumber(system.rejected_records))}${renderCard('Dead jobs', formatNumber(system.dead_jobs))}</div>
    <h2>Processes</h2><${Table} caption="Processes that sent a heartbeat in the last hour" columns=${PROCESS_COLUMNS} rows=${system.processes} empty="No process has sent a heartbeat." />
    <h2>Queues</h2><${Table} caption="Jobs by queue" columns=${QUEUE_COLUMNS} rows=${system.queues} empty="The queues are empty." />
    <h2>Dead jobs</h2><${Table} caption="Jobs that failed permanently" columns=${columns} rows=${dead} empty="No dead jobs." />`;
}
