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
  useAction,
  useLoaded,
} from './ui.ts';

type PipelineObject = Schemas['PipelineObject'];
type Run = Schemas['Run'];
type Rejected = Schemas['RejectedRecord'];
type FailedUnit = Schemas['FailedUnit'];

async function read(id: string) {
  const api = freshet();
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
  const credits = creditsByDay(usage.data);
  return {
    pipeline,
    objects: objects.data,
    runs: runs.data,
    rejected: rejected.data,
    failedUnits: failedUnits.data,
    credits,
    records: byDay(usage.data, (u) => u.records_loaded),
    lags: lagByDay(usage.data),
    budget,
  };
}

/** One pipeline: what it reads and how far, its runs, its credits, and what could not be loaded. */
export function PipelinePage({ id }: { readonly id: string }): VNode {
  const { value, error, again } = useLoaded(() => read(id), id);
  const { act, busy, error: refused } = useAction(again);
  if (value === null) return html`<h1>Pipeline</h1><${Problem} error=${error} />`;
  const { pipeline, objects, runs, rejected, failedUnits, credits, records, lags, budget } = value;
  const api = freshet();
  const params = { path: { id } };
  const isPaused = pipeline.status === 'paused';
  const button = (name: string, work: () => Promise<unknown>, primary = false) =>
    html`<button type="button" class=${primary ? 'primary' : ''} disabled=${busy} onClick=${() => act(work)}>${name}</button>`;
  const schedule =
    pipeline.schedule === null
      ? `every ${pipeline.frequency_minutes} minutes`
      : `${pipeline.schedule.cron} (${pipeline.schedule.time_zone})`;
  return html`<h1>${pipeline.name}: <${Status} of=${pipeline.status} /></h1>
    <p class="quiet">${pipeline.source.subdomain} into ${pipeline.destination_schema}; ${schedule}; ${pipeline.priority} priority; ${isPaused ? 'paused' : `next run ${ago(pipeline.next_run_at)}`}; next audit ${pipeline.next_audit_at === null ? 'on request' : ago(pipeline.next_audit_at)}.</p>
    <${Problem} error=${refused ?? error} />
    <div class="actions">
      ${button(
        'Run now',
        async () => {
          const run = await api.post('/v1/pipelines/{id}/runs', { params, body: {} });
          location.hash = `#/runs/${run.id}`;
        },
        true,
      )}
      ${button('Audit now', () => api.post('/v1/pipelines/{id}/runs', { params, body: { kind: 'audit' } }))}
      ${isPaused ? button('Resume', () => api.post('/v1/pipelines/{id}/resume', { params })) : button('Pause', () => api.post('/v1/pipelines/{id}/pause', { params }))}
    </div>
    <${ScheduleForm} pipeline=${pipeline} act=${act} busy=${busy} />
    <h2>Objects</h2><${Table} caption="Objects, and how far they are complete" columns=${objectColumns(id, act, busy)} rows=${objects} empty="None." />
    <h2>Runs</h2><${Table} caption="The newest runs" columns=${RUN_COLUMNS} rows=${runs} empty="None yet." />
    <h2>Rejected records</h2>
    ${rejected.length === 0 ? null : html`<div class="actions">${button('Replay all', () => api.post('/v1/pipelines/{id}/rejected-records/replay', { params, body: {} }))}</div>`}
    <${Table} caption="Records that could not be loaded" columns=${rejectedColumns(id, act, busy)} rows=${rejected} empty="Every record could be loaded." />
    <h2>Failed units</h2>
    ${failedUnits.length === 0 ? null : html`<div class="actions">${button('Retry all', () => api.post('/v1/pipelines/{id}/failed-units/retry', { params, body: {} }))}</div>`}
    <${Table} caption="Units of work that could not be read and are set aside" columns=${failedUnitColumns(id, act, busy)} rows=${failedUnits} empty="No failed units." />
    <h2>The last 30 days</h2><${Chart} title="Records written by day" points=${records} />
    <${Chart} title="Longest lag by day, of the table that was furthest behind" points=${lags} format=${span} />
    <${Stacked} title="Credits spent by day, and what for" parts=${credits} />
    <${Table} caption="The account’s credits of this minute, by class" columns=${CLASS_COLUMNS} rows=${budget.buckets.flatMap((b) => b.classes.map((c) => ({ ...c, bucket: b.bucket })))} empty="Nothing was spent yet." />`;
}

interface ScheduleFormOptions {
  readonly pipeline: Schemas['Pipeline'];
  readonly act: (work: () => Promise<unknown>) => void;
  readonly busy: boolean;
}

/** When it runs, and whether before others. */
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
    act(() => freshet().patch('/v1/pipelines/{id}', { params: { path: { id: pipeline.id } }, body }));
  };
  const option = (value: string) =>
    html`<option value=${value} selected=${pipeline.priority === value}>${value}</option>`;
  return html`<details><summary>Change its schedule</summary><form onSubmit=${submit}>
    <label>Minutes between runs<input name="frequency" type="number" min="5" max="1440" defaultValue=${pipeline.frequency_minutes} required /></label>
    <label>Cron expression <small>instead: minute, hour, day, month, weekday</small><input name="cron" defaultValue=${pipeline.schedule?.cron ?? ''} placeholder="15 6 * * 1-5" /></label>
    <label>Time zone of the expression<input name="time_zone" defaultValue=${pipeline.schedule?.time_zone ?? ''} placeholder="Europe/Berlin" /></label>
    <label>Priority<select name="priority">${option('normal')}${option('high')}</select></label>
    <div class="actions"><button class="primary" disabled=${busy}>Change it</button></div>
  </form></details>`;
}

const RUN_COLUMNS = [
  { title: 'Run', cell: (r: Run) => html`<a href=${`#/runs/${r.id}`}>${ago(r.created_at)}</a>` },
  { title: 'Kind', cell: (r: Run) => r.kind },
  { title: 'State', cell: (r: Run) => html`<${Status} of=${r.status} />` },
  { title: 'Read', number: true, cell: (r: Run) => count(r.objects.reduce((n, o) => n + o.records_extracted, 0)) },
  { title: 'Written', number: true, cell: (r: Run) => count(r.objects.reduce((n, o) => n + o.records_loaded, 0)) },
  {
    title: 'Audit repaired',
    number: true,
    cell: (r: Run) =>
      r.kind === 'audit' ? count(r.objects.reduce((n, o) => n + (o.findings?.repaired ?? 0), 0)) : '—',
  },
];

const CLASS_COLUMNS = [
  { title: 'Bucket', cell: (c: { bucket: string }) => c.bucket },
  { title: 'Class', cell: (c: { class: string }) => c.class.replaceAll('_', ' ') },
  { title: 'Credits', number: true, cell: (c: { used: number }) => count(c.used) },
];

type Act = (work: () => Promise<unknown>) => void;

function objectColumns(id: string, act: Act, busy: boolean) {
  const change = (object: string, included: boolean) => () =>
    act(() =>
      freshet().patch('/v1/pipelines/{id}/objects/{object}', { params: { path: { id, object } }, body: { included } }),
    );
  return [
    { title: 'Object', cell: (o: PipelineObject) => o.object },
    {
      title: 'Access',
      cell: (o: PipelineObject) =>
        html`<span title=${o.availability_message ?? ''}><${Status} of=${o.availability} /></span>`,
    },
    { title: 'Complete as of', cell: (o: PipelineObject) => ago(o.complete_as_of) },
    {
      title: 'Back to',
      cell: (o: PipelineObject) =>
        o.complete_back_to === null
          ? '—'
          : o.complete_back_to.startsWith('1970')
            ? 'the beginning'
            : o.complete_back_to.slice(0, 10),
    },
    {
      title: 'Included',
      cell: (o: PipelineObject) =>
        html`<label><input type="checkbox" checked=${o.included} disabled=${busy} aria-label=${`Include ${o.object}`} onChange=${change(o.object, !o.included)} /></label>`,
    },
  ];
}

function rejectedColumns(id: string, act: Act, busy: boolean) {
  const decide = (verb: 'replay' | 'discard', record: Rejected) => () =>
    act(() =>
      verb === 'replay'
        ? freshet().post('/v1/pipelines/{id}/rejected-records/replay', {
            params: { path: { id } },
            body: { ids: [record.id] },
          })
        : freshet().post('/v1/pipelines/{id}/rejected-records/discard', {
            params: { path: { id } },
            body: { ids: [record.id] },
          }),
    );
  return [
    { title: 'Object', cell: (r: Rejected) => r.object },
    { title: 'Reason', cell: (r: Rejected) => r.reason },
    { title: 'Since', cell: (r: Rejected) => ago(r.created_at) },
    {
      title: '',
      cell: (r: Rejected) =>
        html`<button type="button" disabled=${busy} onClick=${decide('replay', r)}>Replay</button> <button type="button" disabled=${busy} onClick=${decide('discard', r)}>Discard</button>`,
    },
  ];
}

function failedUnitColumns(id: string, act: Act, busy: boolean) {
  const params = { path: { id } };
  const retry = (unit: FailedUnit) => () =>
    act(() => freshet().post('/v1/pipelines/{id}/failed-units/retry', { params, body: { ids: [unit.id] } }));
  const discard = (unit: FailedUnit) => () =>
    act(() => freshet().post('/v1/pipelines/{id}/failed-units/discard', { params, body: { ids: [unit.id] } }));
  return [
    { title: 'Object', cell: (u: FailedUnit) => u.object },
    { title: 'Key', cell: (u: FailedUnit) => u.key },
    { title: 'Attempts', number: true, cell: (u: FailedUnit) => count(u.attempts) },
    { title: 'Next attempt', cell: (u: FailedUnit) => ago(u.next_attempt_at) },
    { title: 'Message', cell: (u: FailedUnit) => u.error.message },
    {
      title: '',
      cell: (u: FailedUnit) =>
        html`<button type="button" disabled=${busy} onClick=${retry(u)}>Retry</button> <button type="button" disabled=${busy} onClick=${discard(u)}>Discard</button>`,
    },
  ];
}
