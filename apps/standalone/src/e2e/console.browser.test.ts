import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Tests the console in a browser against a real deployment: `npm run test:console`. Requires
 * Chromium from the system (`apt-get install chromium`), or at the path in CHROMIUM.
 */

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

let deployment: Deployment;
let browser: ConsoleBrowser;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 80 }, plan: 'enterprise' }, undefined, {
    FRESHET_TRACE_URL: 'https://jaeger.example.com/trace/{trace_id}',
  });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.updatePipeline(pipelineId, { schema_policy: 'freeze' });
  await deployment.sync(pipelineId);
  deployment.simulator.account.update('tickets', 7, { priority: 'urgent' });
  await deployment.sync(pipelineId);
  await deployment.audit(pipelineId);
  browser = await ConsoleBrowser.launch();
  await browser.signIn(deployment.url, deployment.token);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

const visit = (path: string) => browser.page.goto(`${deployment.url}/console${path}`);
const button = (name: string | RegExp) => browser.page.getByRole('button', { name, exact: true });
const heading = (name: string | RegExp) => browser.page.getByRole('heading', { name, level: 1 });
const table = (name: string) => browser.page.getByRole('table', { name, exact: true });
const confirm = (name: string) => browser.page.getByRole('dialog').last().getByRole('button', { name, exact: true });

/** Signs out, and signs in with a different token. @param role the displayed role of the token. */
async function signInAgain(token: string, role: string): Promise<void> {
  await button('Sign out').click();
  await browser.page.getByLabel('API token').fill(token);
  await browser.page.keyboard.press('Enter');
  await browser.page.getByRole('navigation', { name: 'Pages' }).getByText(role, { exact: true }).last().waitFor();
}

/**
 * Changes the port of the destination to a port on which no server listens.
 * @returns a function that restores the port.
 */
async function disconnectWarehouse(): Promise<() => Promise<unknown>> {
  const { api } = deployment;
  const { destination_id: id } = await api.get('/v1/pipelines/{id}', { params: { path: { id: pipelineId } } });
  const params = { path: { id } };
  const { port } = await api.get('/v1/destinations/{id}', { params });
  // Port 9 is the discard service, which runs on no machine.
  await api.patch('/v1/destinations/{id}', { params, body: { port: 9 } });
  return () => api.patch('/v1/destinations/{id}', { params, body: { port } });
}

test('a user opens a pipeline with the keyboard only', async () => {
  const { page } = browser;
  await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
  expect(await table('Pipelines').textContent()).toContain('demo.freshdesk.com');
  await page
    .getByText('Partial', { exact: true })
    .or(page.getByText('Healthy', { exact: true }))
    .waitFor();
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === 'demo') break;
  }
  await page.keyboard.press('Enter');
  await heading('demo').waitFor();
});

test('the overview shows the state, the freshness and the trends of a pipeline', async () => {
  const { page } = browser;
  await visit(`/pipelines/${pipelineId}`);
  await page.getByRole('img', { name: /^Records per day/ }).waitFor();
  await page.getByRole('img', { name: /^Freshness/ }).waitFor();
  await page.getByRole('img', { name: /^Credits per day/ }).waitFor();
  await page.getByRole('region', { name: 'Rate limit of the account' }).waitFor();
  const data = page.getByRole('region', { name: 'Query the data' }).getByRole('link', { name: 'Tables, previews' });
  expect(await data.getAttribute('href')).toBe(`/console/pipelines/${pipelineId}/data`);
  await button('Table of Credits per day').click();
  await table('Credits per day').waitFor();
  await button('Chart of Credits per day').click();
});

test('a user replays and discards rejected records', async () => {
  const { page } = browser;
  await visit(`/pipelines/${pipelineId}/failures`);
  await table('Rejected records').getByText('value_not_bigint: priority').first().waitFor();
  await button('View record').first().click();
  await page.getByRole('dialog').getByText('"priority": "urgent"').waitFor();
  await page.keyboard.press('Escape');
  await browser.takeScreenshot('rejected');
  await deployment.updatePipeline(pipelineId, { schema_policy: 'evolve' });
  await button('Replay all').click();
  await page.getByText('No rejected records').waitFor({ timeout: 60_000 });
});

test('the console lists failed units and their errors, retries one unit, and discards one unit', async () => {
  const { page } = browser;
  await deployment.control.sql`
    insert into freshet.failed_units
      (id, pipeline_id, object, key, attempts, error_code, error_message, object_run_id, next_attempt_at)
    select gen_random_uuid(), pipeline_id, object, k, 3, 'source_unavailable',
      'Freshdesk responded with status 500.', id, now() + interval '1 hour'
    from freshet.object_runs, unnest(array['21', '22']) as k where pipeline_id = ${pipelineId} and object = 'conversations' order by id desc limit 2`;
  await visit(`/pipelines/${pipelineId}/failures`);
  const units = table('Failed units');
  await units.getByText('Freshdesk responded with status 500.').first().waitFor();
  const row = (key: string) => units.getByRole('row', { name: new RegExp(`^conversations ${key}`) });
  await row('22').getByRole('button', { name: 'Discard' }).click();
  await confirm('Discard unit').click();
  await units.getByRole('cell', { name: '22', exact: true }).waitFor({ state: 'detached' });
  await row('21').getByRole('button', { name: 'Retry' }).click();
  await page.getByText('No failed units').waitFor({ timeout: 60_000 });
});

test('a user starts a run and watches it until it has finished', async () => {
  const { page } = browser;
  await visit(`/pipelines/${pipelineId}`);
  for (let id = 20; id < 40; id++) deployment.simulator.account.update('tickets', id, { subject: 'changed' });
  await button('Run now').click();
  await heading(/^Sync, today/).waitFor();
  await page.getByText('Succeeded', { exact: true }).first().waitFor({ timeout: 60_000 });
  await table('Objects').getByRole('cell', { name: 'tickets', exact: true }).waitFor();
  await browser.takeScreenshot('run');
  await visit(`/pipelines/${pipelineId}/runs`);
  await table('Runs').getByText('audit').first().waitFor();
});

describe('the reports', () => {
  const figure = (label: string) => browser.page.locator('.figure').and(browser.page.getByLabel(label));
  const days = (count: number) =>
    deployment.warehouse.sql.unsafe<{ day: string }[]>(
      `select ((now() at time zone time_zone)::date - ${count - 1})::text as day from freshdesk_demo_analytics.account`,
    );

  /** Counts the tickets that were created in the last days, directly in the warehouse. */
  async function countCreated(count: number): Promise<string> {
    const [first] = await days(count);
    const [row] = await deployment.warehouse.sql.unsafe<{ n: string }[]>(
      'select count(*)::text as n from freshdesk_demo_analytics.ticket_metrics where is_counted and created_day >= $1::date',
      [first?.day ?? ''],
    );
    return row?.n ?? '';
  }

  /** Expects that the figure shows the number of tickets that were created in the last days. */
  async function expectCreated(count: number): Promise<void> {
    const expected = await countCreated(count);
    await expect.poll(() => figure('Tickets created').textContent(), { timeout: 20_000 }).toBe(expected);
  }

  async function download(menu: string, item: string): Promise<Buffer> {
    await button(`Export ${menu}`).click();
    const event = browser.page.waitForEvent('download');
    await browser.page.getByRole('menuitem', { name: item, exact: true }).click();
    return readFileSync(await (await event).path());
  }

  test('show figures that equal those of the warehouse, after a user has turned on analytics', async () => {
    const { page } = browser;
    await visit('/reports');
    await page.getByText('Analytics is off for this pipeline').waitFor();
    await button('Turn on analytics').click();
    await figure('Tickets created').waitFor({ timeout: 60_000 });
    await expectCreated(30);
    await page.getByText('7 days', { exact: true }).click();
    await page.waitForURL(/range=7d/);
    await expectCreated(7);
    await page.getByText('Week', { exact: true }).click();
    await page.waitForURL(/by=week/);
    await button('Table of Created and resolved').click();
    await table('Created and resolved').getByRole('columnheader', { name: 'Week of' }).waitFor();
    await page.reload();
    await expectCreated(7);
  });

  test('show the definition of a figure, and the SQL that returns it', async () => {
    const { page } = browser;
    await button(/^Definition of Tickets created/).focus();
    await page.getByText('Number of tickets that were created.', { exact: true }).waitFor();
    await button('View SQL of Figures').click();
    await table('Columns of Figures').waitFor();
    const sql = await page.getByRole('region', { name: 'SQL of Figures', exact: true }).textContent();
    const [row] = await deployment.warehouse.sql.unsafe(sql ?? '');
    expect(String(row?.['created'])).toBe(await countCreated(7));
    expect(await browser.findAccessibilityProblems()).toEqual([]);
    await browser.takeScreenshot('report-sql');
    await page.keyboard.press('Escape');
  });

  test('are exported as CSV with the rows of the API, and as PNG', async () => {
    const csv = (await download('Created and resolved', 'Download CSV')).toString();
    const [first] = await days(7);
    const [end] = await days(0);
    const expected: unknown = await deployment.api.get('/v1/pipelines/{id}/reports/{report}', {
      params: {
        path: { id: pipelineId, report: 'tickets_created_resolved' },
        query: { from: first?.day ?? '', to: end?.day ?? '', group_by: 'week', format: 'csv' },
      },
      parseAs: 'text',
    });
    expect(csv).toBe(expected);
    for (const chart of ['Created and resolved', 'When tickets arrive']) {
      const png = await download(chart, 'Download PNG');
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      // The width and the height of the image follow the signature and the name of the first chunk.
      expect([png.readUInt32BE(16), png.readUInt32BE(20)].every((pixels) => pixels > 400)).toBe(true);
    }
  });

  test('state that the warehouse cannot be used, and appear again as a tab of the pipeline', async () => {
    const { page } = browser;
    const { destination_id: id } = await deployment.api.get('/v1/pipelines/{id}', {
      params: { path: { id: pipelineId } },
    });
    const params = { path: { id } };
    const { port } = await deployment.api.get('/v1/destinations/{id}', { params });
    await deployment.api.patch('/v1/destinations/{id}', { params, body: { port: 9 } });
    await visit(`/pipelines/${pipelineId}/reports?range=7d&hours=calendar&table=group`);
    await page.getByText('The warehouse cannot be used').waitFor();
    await deployment.api.patch('/v1/destinations/{id}', { params, body: { port } });
    await button('Try again').click();
    await table('Groups').waitFor();
    await expectCreated(7);
    expect(await page.getByRole('radio', { name: 'Calendar hours' }).isChecked()).toBe(true);
  });
});

test('a watched run states that it waits for the warehouse, and continues without a reload', async () => {
  const { page } = browser;
  for (let id = 20; id < 40; id++) deployment.simulator.account.update('tickets', id, { subject: 'changed again' });
  await visit(`/pipelines/${pipelineId}`);
  await button('Run now').waitFor();
  const restoreWarehouse = await disconnectWarehouse();
  await button('Run now').click();
  await page
    .getByText(/waits? for the warehouse\./)
    .first()
    .waitFor();
  await page.getByText('Check that the warehouse is running and reachable.').first().waitFor();
  await table('Progress of objects')
    .getByText(/^Waiting for the warehouse/)
    .first()
    .waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('warehouse-unavailable');
  // A reload would remove the mark.
  await page.evaluate('window.wasNotReloaded = true');
  await restoreWarehouse();
  await button('Run again').waitFor({ timeout: 60_000 });
  expect(await page.getByText(/waits? for the warehouse/).count()).toBe(0);
  expect(await page.evaluate('window.wasNotReloaded')).toBe(true);
});

test('a user includes an object, and changes its options and columns', async () => {
  const { page } = browser;
  await visit(`/pipelines/${pipelineId}/objects`);
  await table('Objects').getByText('freshdesk_demo.tickets', { exact: true }).waitFor();
  await page.getByRole('switch', { name: 'Only included' }).press('Space');
  await page.getByRole('switch', { name: 'Include Skills' }).press('Space');
  await page.getByText('skills is read from the next run on.').waitFor();
  await button('Details of contacts').click();
  await page.getByRole('checkbox', { name: 'Keep history' }).check();
  await button('Save options').click();
  await page.getByText('Saved the options of contacts.').waitFor();
  await page.getByText('Columns: rename, drop or hash').click();
  await page.getByRole('checkbox', { name: 'Hash email' }).check();
  await button('Save columns').click();
  await page.getByText('Saved the columns of contacts.').waitFor();
  const objects = await deployment.api.get('/v1/pipelines/{id}/objects', { params: { path: { id: pipelineId } } });
  const contacts = objects.data.find(({ object }) => object === 'contacts');
  expect(contacts).toMatchObject({ history: true, columns: { email: { hash: true } } });
  await button('Restart').click();
  await confirm('Restart').click();
  await page.getByText('contacts is read again in the next run.').waitFor();
});

test('a user finds a column, and previews rows that equal the warehouse', async () => {
  const { page } = browser;
  const { sql } = deployment.warehouse;
  const [newest] = await sql<{ id: string; requester_id: string; count: string; current_id: string }[]>`
    select id, requester_id, (select count(*) from freshdesk_demo.tickets) as count,
      (select max(id) from freshdesk_demo.tickets where _freshet_deleted_at is null) as current_id
    from freshdesk_demo.tickets order by id desc limit 1`;
  await visit(`/pipelines/${pipelineId}/data`);
  await page.getByLabel('Search tables and columns').fill('tickets requester');
  // The analytics models also contain a view `tickets`.
  const link = page.getByRole('link', { name: /^tickets .*requester_id/ }).first();
  expect(await link.getAttribute('href')).toContain('freshdesk_demo.tickets');
  expect(await link.textContent()).toContain(`tickets${newest?.count}`);
  await link.press('Enter');
  await page.getByRole('heading', { name: 'freshdesk_demo.tickets' }).waitFor();
  await page.getByRole('tab', { name: 'SQL' }).click();
  const statement = (await page.getByLabel('SQL that selects the newest rows').textContent()) ?? '';
  const [row] = await sql.unsafe<{ id: string }[]>(statement);
  expect(row?.id).toBe(newest?.current_id);
  await page.getByRole('tab', { name: 'Preview' }).click();
  const firstRow = table('Rows of tickets').getByRole('row').nth(1);
  await firstRow
    .getByRole('cell', { name: newest?.id ?? '', exact: true })
    .first()
    .waitFor();
  await button('View row 1').click();
  expect(await page.getByRole('dialog').textContent()).toContain(`requester_idbigint${newest?.requester_id}`);
  await page.keyboard.press('Escape');
  expect(new URL(page.url()).search).toContain('view=preview');
});

test('the settings reject an invalid schedule, and explain a conflict with another user', async () => {
  const { page } = browser;
  await visit(`/pipelines/${pipelineId}/settings`);
  await page.getByRole('textbox', { name: 'Name' }).fill('renamed');
  await deployment.updatePipeline(pipelineId, { priority: 'high' });
  await button('Save').click();
  await page.getByText('Another user has changed this in the meantime').waitFor();
  await browser.takeScreenshot('conflict');
  await button('Overwrite with my values').click();
  await heading('renamed').waitFor();
  await page.getByText('At set times (cron)').click();
  await page.getByLabel('Cron expression').fill('* * * * *');
  await button('Save').click();
  await page
    .getByText(/two runs would be less than 30 minutes apart/)
    .first()
    .waitFor();
  await page.getByLabel('Cron expression').fill('15 6 * * 1-5');
  await page.getByRole('textbox', { name: 'Name' }).fill('demo');
  await button('Save').click();
  await heading('demo').waitFor();
  await button('Pause').click();
  await page.getByText('Paused', { exact: true }).waitFor();
  await button('Resume').click();
  await button('Pause').waitFor();
});

test('the test of a destination states why the warehouse cannot be reached', async () => {
  const { page } = browser;
  const restoreWarehouse = await disconnectWarehouse();
  await visit('/destinations');
  await button(/^Test /)
    .first()
    .click();
  await page.getByText('The warehouse cannot be used.').waitFor();
  await browser.takeScreenshot('destinations');
  await restoreWarehouse();
  await button(/^Test /)
    .first()
    .click();
  await page.getByText('The warehouse works.').waitFor();
});

test('a user creates, restricts and deletes a token, whose value is shown once', async () => {
  const { page } = browser;
  await visit('/tokens');
  await button('Create token').click();
  await page.getByLabel('Name').fill('dashboard');
  await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
  const value = await page.getByLabel('The token', { exact: true }).textContent();
  expect(value).toMatch(/^frt_[0-9A-Za-z]{36}$/);
  await button('Done').click();
  await button('Delete dashboard').click();
  await confirm('Delete token').click();
  await page.getByRole('cell', { name: 'dashboard', exact: true }).waitFor({ state: 'detached' });
});

test('a user creates an alert, sends a test event, and sees the response of the receiver', async () => {
  const { page } = browser;
  await visit('/webhooks');
  await button('Create alert').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('HTTP', { exact: true }).click();
  await dialog.getByLabel('Name').fill('pager');
  await dialog.getByLabel('URL').fill('http://127.0.0.1:9/hook');
  await dialog.getByRole('button', { name: 'Create', exact: true }).click();
  expect(await page.getByLabel('The signing secret', { exact: true }).textContent()).toMatch(/^whsec_/);
  await button('Done').click();
  await button('Test pager').click();
  await table('Deliveries').getByText('webhook.test').first().waitFor();
  await page.keyboard.press('Escape');
});

test('the console shows the processes, the queues and the audit log', async () => {
  const { page } = browser;
  await visit('/system');
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    await table('Processes').getByRole('cell', { name, exact: true }).waitFor();
  await page.getByText('No dead jobs').waitFor();
  await visit('/audit-log');
  await button('Details of updatePipeline').first().click();
  await page.getByLabel('Changed fields').waitFor();
});

test('controls without permission are disabled, and say which role is required', async () => {
  const { page } = browser;
  const { token } = await deployment.api.post('/v1/tokens', { body: { name: 'observer', role: 'observer' } });
  await visit('/');
  await signInAgain(token, 'observer');
  await visit(`/pipelines/${pipelineId}`);
  await button('Run now').focus();
  await page.getByText(/Your token has the role observer.*the role pipeline_admin includes/).waitFor();
  await button('Run now').press('Enter');
  await visit('/reports');
  await page.getByText('You do not have access to reports').waitFor();
  await visit(`/pipelines/${pipelineId}/data?table=freshdesk_demo.tickets&view=preview`);
  await page.getByText(/requires the permission read_warehouse, which the role pipeline_admin includes/).waitFor();
  await visit('/tokens');
  await page.getByText('You do not have access to this page').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('forbidden');
  await signInAgain(deployment.token, 'team admin');
});

test('the page of a run links to its trace if the operator has configured a tracing system', async () => {
  const { page } = browser;
  const [run] = await deployment.control.sql<{ id: string }[]>`
    update freshet.runs set traceparent = ${`00-${TRACE_ID}-00f067aa0ba902b7-01`}
    where id = (select id from freshet.runs order by id desc limit 1) returning id`;
  await visit(`/runs/${run?.id}`);
  const link = page.getByRole('link', { name: 'Open the trace' });
  expect(await link.getAttribute('href')).toBe(`https://jaeger.example.com/trace/${TRACE_ID}`);
});

test('a page keeps its data and shows a notice while the API cannot be reached', async () => {
  const { page } = browser;
  await visit('/system');
  await table('Processes').waitFor();
  await page.context().setOffline(true);
  await page.getByText('Freshet cannot be reached').waitFor();
  expect(await table('Processes').count()).toBe(1);
  await page.context().setOffline(false);
  await page.getByText('Freshet cannot be reached').waitFor({ state: 'detached' });
});

test('the pages send no requests to other hosts, and log no unexpected errors', async () => {
  expect([...browser.requestedHosts]).toEqual([new URL(deployment.url).host]);
  // The tests provoke these errors: a missing permission, a conflict, an invalid schedule, a
  // warehouse that cannot be reached, and a lost network.
  const expected = /status of (400|403|412|422|502)|ERR_INTERNET_DISCONNECTED/;
  expect(browser.errors.filter((text) => !expected.test(text))).toEqual([]);
});
