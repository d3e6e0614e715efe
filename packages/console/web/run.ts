import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ago, bytes, count, freshet, html, Problem, type Schemas, Status, Table, useAction } from './ui.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

const RECONNECT_MS = 2000;

/** One run, as it goes: each change is shown as it happens. */
export function RunPage({ id }: { readonly id: string }): VNode {
  const [run, setRun] = useState<Run | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const { act, busy, error: refused } = useAction(() => {});
  useEffect(() => {
    const leaving = new AbortController();
    const watch = async () => {
      while (!leaving.signal.aborted) {
        try {
          setRun(await freshet().get('/v1/runs/{id}', { params: { path: { id } }, signal: leaving.signal }));
          for await (const changed of freshet().watchRun(id, { signal: leaving.signal })) setRun(changed);
          return;
        } catch (failed) {
          if (leaving.signal.aborted) return;
          setError(failed as Error);
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
        }
      }
    };
    void watch();
    return () => leaving.abort();
  }, [id]);
  if (run === null) return html`<h1>Run</h1><${Problem} error=${error} />`;
  const columns = [
    { title: 'Object', cell: (o: ObjectRun) => o.object },
    { title: 'State', cell: (o: ObjectRun) => html`<${Status} of=${o.status} ignored=${isIgnored(o)} />` },
    { title: 'Progress', cell: progress },
    { title: 'Read', number: true, cell: (o: ObjectRun) => count(o.records_extracted) },
    { title: 'Written', number: true, cell: (o: ObjectRun) => count(o.records_loaded) },
    { title: 'Unchanged', number: true, cell: (o: ObjectRun) => count(o.records_unchanged) },
    { title: 'Deleted', number: true, cell: (o: ObjectRun) => count(o.records_deleted) },
    {
      title: 'Rejected',
      number: true,
      cell: (o: ObjectRun) =>
        html`<span class=${o.records_rejected > 0 ? 'bad' : ''}>${count(o.records_rejected)}</span>`,
    },
    {
      title: 'Failed units',
      number: true,
      cell: (o: ObjectRun) => html`<span class=${o.failed_units > 0 ? 'bad' : ''}>${count(o.failed_units)}</span>`,
    },
    { title: 'Credits', number: true, cell: (o: ObjectRun) => count(o.credits_used) },
    { title: 'Bytes', number: true, cell: (o: ObjectRun) => bytes(o.bytes_staged) },
    {
      title: 'Message',
      cell: (o: ObjectRun) =>
        [
          o.error?.message ?? findings(o),
          ...o.warnings.filter((w) => o.error === null || w.code !== 'object_unavailable').map((w) => w.message),
        ]
          .filter(Boolean)
          .join(' '),
    },
  ];
  const isOpen = run.finished_at === null;
  return html`<h1>Run of ${ago(run.created_at)}: <${Status} of=${run.status} /></h1>
    <p class="quiet">${run.kind}, ${run.trigger}. <a href=${`#/pipelines/${run.pipeline_id}`}>Its pipeline</a></p>
    <${Problem} error=${refused} />
    ${isOpen ? html`<div class="actions"><button type="button" disabled=${busy} onClick=${() => act(() => freshet().post('/v1/runs/{id}/cancel', { params: { path: { id } } }))}>Cancel the run</button></div>` : null}
    ${isOpen ? html`<p><${Bar} label="Run" share=${run.progress} /> ${run.estimated_finished_at === null ? '' : `ends ${ago(run.estimated_finished_at)} (estimated)`}</p>` : null}
    <div aria-live="polite"><${Table} caption="Objects" columns=${columns} rows=${run.objects} empty="It has no objects." /></div>`;
}

/** Whether the status of the run ignores the object: no API key has been able to read it yet. */
function isIgnored(o: ObjectRun): boolean {
  return o.warnings.some(({ code }) => code === 'object_unavailable');
}

function progress(o: ObjectRun): VNode {
  return html`<${Bar} label=${o.object} share=${o.progress} />`;
}

/** A progress bar with its percentage; an empty one when the share is not known. */
function Bar({ label, share }: { readonly label: string; readonly share: number | null }): VNode {
  const text = share === null ? 'not known' : `${Math.floor(share * 100)} %`;
  return html`<progress aria-label=${`Progress of ${label}: ${text}`} max="1" value=${share ?? 0}></progress> <small>${share === null ? '' : text}</small>`;
}

function findings(o: ObjectRun): string {
  if (o.findings === null) return '';
  const { missing, stale, repaired } = o.findings;
  return `${count(missing)} missing, ${count(stale)} stale, ${count(repaired)} repaired`;
}
