import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { formatNumber, getClient, html, Problem, type Schemas, Status, Table, useAction, usePolling } from './ui.ts';

type Plan = Schemas['PipelinePlan'];
type AccountObject = Schemas['AccountObject'];

async function fetchConnections() {
  const [credentials, destinations] = await Promise.all([
    getClient().get('/v1/credentials', { params: { query: { type: 'freshdesk_api_key', limit: 200 } } }),
    getClient().get('/v1/destinations', { params: { query: { limit: 200 } } }),
  ]);
  return { credentials: credentials.data, destinations: destinations.data };
}

/**
 * The form that creates a pipeline. Its preview tests the connections and estimates the first sync.
 */
export function NewPipeline(): VNode {
  const { value, error } = usePolling(fetchConnections, 'new', 60_000);
  const [plan, setPlan] = useState<Plan | null>(null);
  const { act, busy, error: refused } = useAction(() => {});
  if (value === null) return html`<h1>New pipeline</h1><${Problem} error=${error} />`;
  const readInput = (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    return {
      name: text('name'),
      source: {
        type: 'freshdesk' as const,
        subdomain: text('subdomain'),
        credential_id: text('credential_id'),
        historical_sync_days: text('days') === '' ? null : Number(text('days')),
      },
      destination_id: text('destination_id'),
      frequency_minutes: Number(text('frequency')),
    };
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const input = readInput(event.currentTarget as HTMLFormElement);
    const isPlan = (event.submitter as HTMLButtonElement).value === 'plan';
    act(async () => {
      if (isPlan) return setPlan(await getClient().post('/v1/pipelines/plan', { body: input }));
      const pipeline = await getClient().post('/v1/pipelines', { body: input });
      location.hash = `#/pipelines/${pipeline.id}`;
    });
  };
  const options = (of: readonly { id: string; name: string }[]) =>
    of.map(({ id, name }) => html`<option value=${id}>${name}</option>`);
  return html`<h1>New pipeline</h1>
    <form onSubmit=${submit}>
      <label>Name<input name="name" required maxlength="255" /></label>
      <label>Account <small>acme, acme.freshdesk.com or the full URL</small>
        <input name="subdomain" required maxlength="255" /></label>
      <label>API key<select name="credential_id" required>${options(value.credentials)}</select></label>
      <label>Destination<select name="destination_id" required>${options(value.destinations)}</select></label>
      <label>Historical sync (days) <small>Leave empty to sync all history</small><input name="days" type="number" min="1" max="36500" defaultValue="30" /></label>
      <label>Sync frequency <small>in minutes</small><input name="frequency" type="number" min="5" max="1440" defaultValue="360" required /></label>
      <div class="actions"><button value="plan" disabled=${busy}>Test connection & estimate</button><button class="primary" value="create" disabled=${busy}>Create pipeline</button></div>
    </form>
    <${Problem} error=${refused} />
    ${plan === null ? null : html`<${PlanSummary} plan=${plan} />`}`;
}

function PlanSummary({ plan }: { readonly plan: Plan }): VNode {
  const columns = [
    { title: 'Object', cell: (o: AccountObject) => o.object },
    { title: 'Access', cell: (o: AccountObject) => html`<${Status} value=${o.verdict} />` },
    { title: 'Message', cell: (o: AccountObject) => o.message ?? '' },
  ];
  const { account, destination, tables, estimate } = plan;
  const accountStatus = account.ok
    ? html`<span class="good">readable</span>`
    : html`<span><span class="bad">not readable</span>: ${account.error?.message}</span>`;
  const destinationStatus = destination.usable
    ? html`<span class="good">writable</span>`
    : html`<span><span class="bad">not writable</span>: ${destination.error?.message ?? destination.missing_grants.join(' ')}</span>`;
  const tableCount = formatNumber(tables.filter((t) => !t.exists).length);
  const cost = estimate === null ? '' : ` The first sync uses about ${formatNumber(estimate.credits)} credits.`;
  return html`<section aria-live="polite"><h2>Preview</h2>
    <p>Account: ${accountStatus}. Destination: ${destinationStatus}. ${tableCount} tables will be created.${cost}</p>
    <${Table} caption="Objects" columns=${columns} rows=${account.objects} empty="No objects were tested." /></section>`;
}
