import type { VNode } from 'preact';
import { ago, bytes, count, freshet, html, Problem, type Schemas, Status, Table, useAction, useLoaded } from './ui.ts';

type DeadJob = Schemas['DeadJob'];
type Process = Schemas['LivingProcess'];
type Queue = Schemas['QueueDepth'];

async function read() {
  const [system, dead] = await Promise.all([freshet().get('/v1/system'), freshet().get('/v1/dead-jobs')]);
  return { system, dead: dead.data };
}

const PROCESS_COLUMNS = [
  { title: 'Process', cell: (p: Process) => p.name },
  { title: 'State', cell: (p: Process) => html`<${Status} of=${p.state} />` },
  { title: 'Host', cell: (p: Process) => `${p.host} (${p.pid})` },
  { title: 'Started', cell: (p: Process) => ago(p.started_at) },
  { title: 'Cores', number: true, cell: (p: Process) => (p.cpu === null ? '—' : count(p.cpu)) },
  { title: 'Memory', number: true, cell: (p: Process) => (p.memory_bytes === null ? '—' : bytes(p.memory_bytes)) },
];

const QUEUE_COLUMNS = [
  { title: 'Queue', cell: (q: Queue) => q.queue },
  { title: 'Ready', number: true, cell: (q: Queue) => count(q.ready) },
  { title: 'Active', number: true, cell: (q: Queue) => count(q.active) },
  { title: 'Deferred', number: true, cell: (q: Queue) => count(q.deferred) },
  { title: 'Oldest waits', number: true, cell: (q: Queue) => `${count(q.oldest_seconds)} s` },
];

/** The deployment itself: who is alive, what waits, what was set aside. */
export function SystemPage(): VNode {
  const { value, error, again } = useLoaded(read, 'system', 2000);
  const { act, busy, error: refused } = useAction(again);
  if (value === null) return html`<h1>System</h1><${Problem} error=${error} />`;
  const { system, dead } = value;
  const card = (name: string, shown: string) => html`<div class="card">${name}<b>${shown}</b></div>`;
  const path = (job: DeadJob) => ({ params: { path: { id: job.id } } });
  const columns = [
    { title: 'Queue', cell: (j: DeadJob) => j.queue },
    { title: 'Reason', cell: (j: DeadJob) => j.reason },
    { title: 'Tries', number: true, cell: (j: DeadJob) => count(j.attempts) },
    { title: 'Since', cell: (j: DeadJob) => ago(j.died_at) },
    {
      title: '',
      cell: (
        j: DeadJob,
      ) => html`<button type="button" disabled=${busy} onClick=${() => act(() => freshet().post('/v1/dead-jobs/{id}/redrive', path(j)))}>Send again</button>
        <button type="button" disabled=${busy} onClick=${() => act(() => freshet().delete('/v1/dead-jobs/{id}', path(j)))}>Discard</button>`,
    },
  ];
  return html`<h1>System</h1><${Problem} error=${refused ?? error} />
    <div class="cards">${card('Open runs', count(system.open_runs))}${card('Not loaded yet', bytes(system.unloaded_bytes))}${card('Rejected records', count(system.rejected_records))}${card('Dead jobs', count(system.dead_jobs))}</div>
    <h2>Processes</h2><${Table} caption="Processes of the last hour" columns=${PROCESS_COLUMNS} rows=${system.processes} empty="None has been heard of." />
    <h2>Queues</h2><${Table} caption="Jobs by queue" columns=${QUEUE_COLUMNS} rows=${system.queues} empty="No job waits." />
    <h2>Dead jobs</h2><${Table} caption="Jobs that were set aside" columns=${columns} rows=${dead} empty="No job was set aside." />`;
}
