import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
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
} from './ui.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

const RECONNECT_MS = 2000;

/** The page of a run, updated by the run's event stream. */
export function RunPage({ id }: { readonly id: string }): VNode {
  const [run, setRun] = useState<Run | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const { act, busy, error: refused } = useAction(() => {});
  useEffect(() => {
    const unmounted = new AbortController();
    const watch = async () => {
      while (!unmounted.signal.aborted) {
        try {
          setRun(await getClient().get('/v1/runs/{id}', { params: { path: { id } }, signal: unmounted.signal }));
          for await (const update of getClient().watchRun(id, { signal: unmounted.signal })) setRun(update);
          return;
        } catch (caught) {
          if (unmounted.signal.aborted) return;
          setError(caught as Error);
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
        }
      }
    };
    void watch();
    return () => unmounted.abort();
  }, [id]);
  if (run === null) return html`<h1>Run</h1><${Problem} error=${error} />`;
  const isOpen = run.finished_at === null;
  return html`<h1>Run, ${formatRelativeTime(run.created_at)}: <${Status} value=${run.status} /></h1>
    <p class="quiet">${run.kind}, ${run.trigger}. <a href=${`#/pipelines/${run.pipeline_id}`}>Pipeline</a></p>
    <${Problem} error=${refused} />
    ${isOpen ? html`<div class="actions"><button type="button" disabled=${busy} onClick=${() => act(() => getClient().post('/v1/runs/{id}/cancel', { params: { path: { id } } }))}>Cancel run</button></div>` : null}
    ${isOpen ? html`<p><${ProgressBar} label="Run" share=${run.progress} /> ${run.estimated_finished_at === null ? '' : `estimated end: ${formatRelativeTime(run.estimated_finished_at)}`}</p>` : null}
    <div aria-live="polite"><${Table} caption="Objects" columns=${OBJECT_COLUMNS} rows=${run.objects} empty="This run has no objects." /></div>`;
}

const OBJECT_COLUMNS = [
  { title: 'Object', cell: (o: ObjectRun) => o.object },
  { title: 'Status', cell: (o: ObjectRun) => html`<${Status} value=${o.status} ignored=${isIgnored(o)} />` },
  { title: 'Progress', cell: renderProgress },
  { title: 'Extracted', number: true, cell: (o: ObjectRun) => formatNumber(o.records_extracted) },
  { title: 'Loaded', number: true, cell: (o: ObjectRun) => formatNumber(o.records_loaded) },
  { title: 'Unchanged', number: true, cell: (o: ObjectRun) => formatNumber(o.records_unchanged) },
  { title: 'Deleted', number: true, cell: (o: ObjectRun) => formatNumber(o.records_deleted) },
  {
    title: 'Rejected',
    number: true,
    cell: (o: ObjectRun) =>
      html`<span class=${o.records_rejected > 0 ? 'bad' : ''}>${formatNumber(o.records_rejected)}</span>`,
  },
  {
    title: 'Failed units',
    number: true,
    cell: (o: ObjectRun) => html`<span class=${o.failed_units > 0 ? 'bad' : ''}>${formatNumber(o.failed_units)}</span>`,
  },
  { title: 'Credits', number: true, cell: (o: ObjectRun) => formatNumber(o.credits_used) },
  { title: 'Bytes', number: true, cell: (o: ObjectRun) => formatBytes(o.bytes_staged) },
  {
    title: 'Message',
    cell: (o: ObjectRun) =>
      [
        o.error?.message ?? formatFindings(o),
        ...o.warnings.filter((w) => o.error === null || w.code !== 'object_unavailable').map((w) => w.message),
      ]
        .filter(Boolean)
        .join(' '),
  },
];

/**
 * Returns whether the object has no effect on the status of the run. This is the case if the API
 * key has never been able to read the object.
 */
function isIgnored(o: ObjectRun): boolean {
  return o.warnings.some(({ code }) => code === 'object_unavailable');
}

function renderProgress(o: ObjectRun): VNode {
  return html`<${ProgressBar} label=${o.object} share=${o.progress} />`;
}

/** A progress bar with a percentage. The bar is empty if the share is unknown. */
function ProgressBar({ label, share }: { readonly label: string; readonly share: number | null }): VNode {
  const text = share === null ? 'unknown' : `${Math.floor(share * 100)} %`;
  return html`<progress aria-label=${`Progress of ${label}: ${text}`} max="1" value=${share ?? 0}></progress> <small>${share === null ? '' : text}</small>`;
}

function formatFindings(o: ObjectRun): string {
  if (o.findings === null) return '';
  const { missing, stale, repaired } = o.findings;
  return `${formatNumber(missing)} missing, ${formatNumber(stale)} stale, ${formatNumber(repaired)} repaired`;
}
