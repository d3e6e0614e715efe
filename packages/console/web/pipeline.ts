import type { VNode } from 'preact';
import {
  aggregateByDay,
  Chart,
  formatCreditClass,
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
  useAction,
  usePolling,
} from './ui.ts';

type PipelineObject = Schemas['PipelineObject'];
type Run = Schemas['Run'];
type RejectedRecord = Schemas['RejectedRecord'];
type FailedUnit = Schemas['FailedUnit'];

async function fetchPipeline(id: string) {
  const api = getClient();
  const path = { id };
  const pipeline = await api.get('/v1/pipelines/{id}', { params: { path } });
  const [objects, runs, rejected, failedUnits, usage, budget] = await Promise.all([
    api.get('/v1/pipelines/{id}/objects', { params: { path } }),
    api.get('/v1/runs', { params: { query: { pipeline_id: id, limit: 20 } } }),
    api.get('/v1/pipelines/{id}/rejected-records', { params: { path, query: { limit: 50 } } }),
    api.get('/v1/pipelines/{id}/failed-units', { params: { path, query: { limit: 50 } } }),
    api.get('/v1/usage', { params: { query: { pipeline_id: id } } }),
    api.get('/v1/accounts/{subdomain}/budget', { params: { path: { subdomain: pipeline.source.subdomain } } }),
  ]);
  const credits = getCreditsByDay(usage.data);
  return {
    pipeline,
    objects: objects.data,
    runs: runs.data,
    rejected: rejected.data,
    failedUnits: failedUnits.data,
    credits,
    records: aggregateByDay(usage.data, (u) => u.records_loaded),
    lags: getLagByDay(usage.data),
    budget,
  };
}

/**
 * The page of a pipeline: its schedule, objects, runs, rejected records, failed units and usage.
 */
export function PipelinePage({ id }: { readonly id: string }): VNode {
  const { value, error, refresh: again } = usePolling(() => fetchPipeline(id), id);
  const { act, busy, error: refused } = useAction(again);
  if (value === null) return html`<h1>Pipeline</h1><${Problem} error=${error} />`;
  const { pipeline, objects, runs, rejected, failedUnits, credits, records, lags, budget } = value;
  const api = getClient();
  const params = { path: { id } };
  const isPaused = pipeline.status === 'paused';
  const button = (name: string, work: () => Promise<unknown>, primary = false) =>
    html`<button type="button" class=${primary ? 'primary' : ''} disabled=${busy} onClick=${() => act(work)}>${name}</button>`;
  const schedule =
    pipeline.schedule === null
      ? `every ${pipeline.frequency_minutes} minutes`
      : `${pipeline.schedule.cron} (${pipeline.schedule.time_zone})`;
  return html`<h1>${pipeline.name}: <${Status} value=${pipeline.status} /></h1>
    <p class="quiet">${pipeline.source.subdomain} into ${pipeline.destination_schema}; ${schedule}; ${pipeline.priority} priority; ${isPaused ? 'paused' : `next run ${formatRelativeTime(pipeline.next_run_at)}`}; next audit ${pipeline.next_audit_at === null ? 'on request' : formatRelativeTime(pipeline.next_audit_at)}.</p>
    <${Problem} error=${refused ?? error} />
    <div class="actions">
      ${button(
        'Start run',
        async () => {
          const run = await api.post('/v1/pipelines/{id}/runs', { params, body: {} });
          location.hash = `#/runs/${run.id}`;
        },
        true,
      )}
      ${button('Start audit', () => api.post('/v1/pipelines/{id}/runs', { params, body: { kind: 'audit' } }))}
      ${isPaused ? button('Resume', () => api.post('/v1/pipelines/{id}/resume', { params })) : button('Pause', () => api.post('/v1/pipelines/{id}/pause', { params }))}
    </div>
    <${ScheduleForm} pipeline=${pipeline} act=${act} busy=${busy} />
    <h2>Objects</h2><${Table} caption="Objects and their coverage" columns=${objectColumns(id, act, busy)} rows=${objects} empty="No objects." />
    <h2>Runs</h2><${Table} caption="Latest runs" columns=${RUN_COLUMNS} rows=${runs} empty="No runs yet." />
    <h2>Rejected records</h2>
    ${rejected.length === 0 ? null : html`<div class="actions">${button('Replay all', () => api.post('/v1/pipelines/{id}/rejected-records/replay', { params, body: {} }))}</div>`}
    <${Table} caption="Records that could not be loaded" columns=${rejectedColumns(id, act, busy)} rows=${rejected} empty="No rejected records." />
    <h2>Failed units</h2>
    ${failedUnits.length === 0 ? null : html`<div class="actions">${button('Retry all', () => api.post('/v1/pipelines/{id}/failed-units/retry', { params, body: {} }))}</div>`}
    <${Table} caption="Units of work that could not be extracted" columns=${failedUnitColumns(id, act, busy)} rows=${failedUnits} empty="No failed units." />
    <h2>Last 30 days</h2><${Chart} title="Records loaded per day" points=${records} />
    <${Chart} title="Maximum lag per day, over all tables" points=${lags} format=${formatDuration} />
    <${StackedChart} title="Credits used per day, by class" parts=${credits} />
    <${Table} caption="Credits of the account in this minute, by class" columns=${CLASS_COLUMNS} rows=${budget.buckets.flatMap((b) => b.classes.map((c) => ({ ...c, bucket: b.bucket })))} empty="No credits used in this minute." />`;
}

interface ScheduleFormOptions {
  readonly pipeline: Schemas['Pipeline'];
  readonly act: (work: () => Promise<unknown>) => void;
  readonly busy: boolean;
}

/** The form that changes a pipeline's sync frequency or cron schedule, and its priority. */
function ScheduleForm({ pipeline, act, busy }: ScheduleFormOptions): VNode {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const schedule = text('cron') === '' ? null : { cron: text('cron'), time_zone: text('time_zone') || 'UTC' };
    const body = {
      frequency_minutes: Number(text('frequency')),
      schedule,
      priority: text('priority') as Schemas['PipelinePriority'],
    };
    act(() => getClient().patch('/v1/pipelines/{id}', { params: { path: { id: pipeline.id } }, body }));
  };
  const option = (value: string) =>
    html`<option value=${value} selected=${pipeline.priority === value}>${value}</option>`;
  return html`<details><summary>Edit schedule</summary><form onSubmit=${submit}>
    <label>Sync frequency <small>in minutes</small><input name="frequency" type="number" min="5" max="1440" defaultValue=${pipeline.frequency_minutes} required /></label>
    <label>Cron expression <small>Replaces the sync frequency. Fields: minute, hour, day of month, month, day of week</small><input name="cron" defaultValue=${pipeline.schedule?.cron ?? ''} placeholder="15 6 * * 1-5" /></label>
    <label>Time zone<input name="time_zone" defaultValue=${pipeline.schedule?.time_zone ?? ''} placeholder="Europe/Berlin" /></label>
    <label>Priority<select name="priority">${option('normal')}${option('high')}</select></label>
    <div class="actions"><button class="primary" disabled=${busy}>Save</button></div>
  </form></details>`;
}

const RUN_COLUMNS = [
  { title: 'Run', cell: (r: Run) => html`<a href=${`#/runs/${r.id}`}>${formatRelativeTime(r.created_at)}</a>` },
  { title: 'Kind', cell: (r: Run) => r.kind },
  { title: 'Status', cell: (r: Run) => html`<${Status} value=${r.status} />` },
  {
    title: 'Extracted',
    number: true,
    cell: (r: Run) => formatNumber(r.objects.reduce((n, o) => n + o.records_extracted, 0)),
  },
  {
    title: 'Loaded',
    number: true,
    cell: (r: Run) => formatNumber(r.objects.reduce((n, o) => n + o.records_loaded, 0)),
  },
  {
    title: 'Repaired by audit',
    number: true,
    cell: (r: Run) =>
      r.kind === 'audit' ? formatNumber(r.objects.reduce((n, o) => n + (o.findings?.repaired ?? 0), 0)) : '—',
  },
];

const CLASS_COLUMNS = [
  { title: 'Bucket', cell: (c: { bucket: string }) => c.bucket },
  { title: 'Class', cell: (c: { class: string }) => formatCreditClass(c.class) },
  { title: 'Credits', number: true, cell: (c: { used: number }) => formatNumber(c.used) },
];

type Act = (work: () => Promise<unknown>) => void;

function objectColumns(id: string, act: Act, busy: boolean) {
  const setIncluded = (object: string, included: boolean) => () =>
    act(() =>
      getClient().patch('/v1/pipelines/{id}/objects/{object}', {
        params: { path: { id, object } },
        body: { included },
      }),
    );
  return [
    { title: 'Object', cell: (o: PipelineObject) => o.object },
    {
      title: 'Access',
      cell: (o: PipelineObject) =>
        html`<span title=${o.availability_message ?? ''}><${Status} value=${o.availability} /></span>`,
    },
    { title: 'Fresh as of', cell: (o: PipelineObject) => formatRelativeTime(o.complete_as_of) },
    {
      title: 'History since',
      cell: (o: PipelineObject) =>
        o.complete_back_to === null
          ? '—'
          : o.complete_back_to.startsWith('1970')
            ? 'all history'
            : o.complete_back_to.slice(0, 10),
    },
    {
      title: 'Included',
      cell: (o: PipelineObject) =>
        html`<label><input type="checkbox" checked=${o.included} disabled=${busy} aria-label=${`Include ${o.object}`} onChange=${setIncluded(o.object, !o.included)} /></label>`,
    },
  ];
}

function rejectedColumns(id: string, act: Act, busy: boolean) {
  const resolveRecord = (verb: 'replay' | 'discard', record: RejectedRecord) => () =>
    act(() =>
      verb === 'replay'
        ? getClient().post('/v1/pipelines/{id}/rejected-records/replay', {
            params: { path: { id } },
            body: { ids: [record.id] },
          })
        : getClient().post('/v1/pipelines/{id}/rejected-records/discard', {
            params: { path: { id } },
            body: { ids: [record.id] },
          }),
    );
  return [
    { title: 'Object', cell: (r: RejectedRecord) => r.object },
    { title: 'Reason', cell: (r: RejectedRecord) => r.reason },
    { title: 'Since', cell: (r: RejectedRecord) => formatRelativeTime(r.created_at) },
    {
      title: '',
      cell: (r: RejectedRecord) =>
        html`<button type="button" disabled=${busy} onClick=${resolveRecord('replay', r)}>Replay</button> <button type="button" disabled=${busy} onClick=${resolveRecord('discard', r)}>Discard</button>`,
    },
  ];
}

function failedUnitColumns(id: string, act: Act, busy: boolean) {
  const params = { path: { id } };
  const retry = (unit: FailedUnit) => () =>
    act(() => getClient().post('/v1/pipelines/{id}/failed-units/retry', { params, body: { ids: [unit.id] } }));
  const discard = (unit: FailedUnit) => () =>
    act(() => getClient().post('/v1/pipelines/{id}/failed-units/discard', { params, body: { ids: [unit.id] } }));
  return [
    { title: 'Object', cell: (u: FailedUnit) => u.object },
    { title: 'Key', cell: (u: FailedUnit) => u.key },
    { title: 'Attempts', number: true, cell: (u: FailedUnit) => formatNumber(u.attempts) },
    { title: 'Next attempt', cell: (u: FailedUnit) => formatRelativeTime(u.next_attempt_at) },
    { title: 'Message', cell: (u: FailedUnit) => u.error.message },
    {
      title: '',
      cell: (u: FailedUnit) =>
        html`<button type="button" disabled=${busy} onClick=${retry(u)}>Retry</button> <button type="button" disabled=${busy} onClick=${discard(u)}>Discard</button>`,
    },
  ];
}
