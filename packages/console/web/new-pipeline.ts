import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { count, freshet, html, Problem, type Schemas, Status, Table, useAction, useLoaded } from './ui.ts';

type Plan = Schemas['PipelinePlan'];
type Verdict = Schemas['AccountObject'];

async function read() {
  const [credentials, destinations] = await Promise.all([
    freshet().get('/v1/credentials', { params: { query: { type: 'freshdesk_api_key', limit: 200 } } }),
    freshet().get('/v1/destinations', { params: { query: { limit: 200 } } }),
  ]);
  return { credentials: credentials.data, destinations: destinations.data };
}

/** A pipeline from an account and a warehouse that are known: tried and priced before it is made. */
export function NewPipeline(): VNode {
  const { value, error } = useLoaded(read, 'new', 60_000);
  const [plan, setPlan] = useState<Plan | null>(null);
  const { act, busy, error: refused } = useAction(() => {});
  if (value === null) return html`<h1>New pipeline</h1><${Problem} error=${error} />`;
  const inputOf = (form: HTMLFormElement) => {
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
    const input = inputOf(event.currentTarget as HTMLFormElement);
    const isPlan = (event.submitter as HTMLButtonElement).value === 'plan';
    act(async () => {
      if (isPlan) return setPlan(await freshet().post('/v1/pipelines/plan', { body: input }));
      const made = await freshet().post('/v1/pipelines', { body: input });
      location.hash = `#/pipelines/${made.id}`;
    });
  };
  const options = (of: readonly { id: string; name: string }[]) =>
    of.map(({ id, name }) => html`<option value=${id}>${name}</option>`);
  return html`<h1>New pipeline</h1>
    <form onSubmit=${submit}>
      <label>Name<input name="name" required maxlength="255" /></label>
      <label>Account <small>acme, acme.freshdesk.com, or its address</small><input name="subdomain" required maxlength="255" /></label>
      <label>API key<select name="credential_id" required>${options(value.credentials)}</select></label>
      <label>Warehouse<select name="destination_id" required>${options(value.destinations)}</select></label>
      <label>Days of history <small>empty: from the beginning</small><input name="days" type="number" min="1" max="36500" defaultValue="30" /></label>
      <label>Minutes between runs<input name="frequency" type="number" min="5" max="1440" defaultValue="360" required /></label>
      <div class="actions"><button value="plan" disabled=${busy}>Try it, and see what it costs</button><button class="primary" value="make" disabled=${busy}>Make it</button></div>
    </form>
    <${Problem} error=${refused} />
    ${plan === null ? null : html`<${PlanShown} plan=${plan} />`}`;
}

function PlanShown({ plan }: { readonly plan: Plan }): VNode {
  const columns = [
    { title: 'Object', cell: (o: Verdict) => o.object },
    { title: 'The key may read it', cell: (o: Verdict) => html`<${Status} of=${o.verdict} />` },
    { title: 'Says', cell: (o: Verdict) => o.message ?? '' },
  ];
  const { account, destination, tables, estimate } = plan;
  return html`<section aria-live="polite"><h2>What would happen</h2>
    <p>The account ${account.ok ? html`<span class="good">can be read</span>` : html`<span class="bad">cannot be read</span>: ${account.error?.message}`}; the warehouse
      ${destination.usable ? html` <span class="good">can be written</span>` : html` <span class="bad">cannot be written</span>: ${destination.error?.message ?? destination.missing_grants.join(' ')}`}.
      ${count(tables.filter((t) => !t.exists).length)} tables would be made.
      ${estimate === null ? '' : ` The first sync takes about ${count(estimate.credits)} credits.`}</p>
    <${Table} caption="Objects" columns=${columns} rows=${account.objects} empty="No object was tried." /></section>`;
}
