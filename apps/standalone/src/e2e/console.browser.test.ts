import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Tests the console in a browser: `npm run test:console`. Requires Chromium from the system
 * (`apt-get install chromium`), or at the path in CHROMIUM.
 */

const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  process.env['CHROMIUM'] ?? '',
].find((path) => path !== '' && existsSync(path));
const SCREENSHOTS = fileURLToPath(new URL('../../../../docs/console/', import.meta.url));

let deployment: Deployment;
let browser: Browser;
let page: Page;
let pipelineId: string;
/** The hosts of all requests that the page sends, and the errors in the browser console. */
const requestedHosts = new Set<string>();
const consoleErrors: string[] = [];

beforeAll(async () => {
  if (CHROMIUM === undefined) throw new Error('Chromium is missing. Install it, or set CHROMIUM to its path.');
  deployment = await Deployment.start({ counts: { tickets: 80 }, plan: 'enterprise' });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.updatePipeline(pipelineId, { schema_policy: 'freeze' });
  await deployment.sync(pipelineId);
  deployment.simulator.account.update('tickets', 7, { priority: 'urgent' });
  await deployment.sync(pipelineId);
  await deployment.audit(pipelineId);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  page = await (await browser.newContext({ viewport: { width: 1200, height: 800 } })).newPage();
  page.on('request', (request) => requestedHosts.add(new URL(request.url()).host));
  page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()));
  page.on('pageerror', (error) => consoleErrors.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  await deployment?.[Symbol.asyncDispose]();
});

const visit = (path: string) => page.goto(`${deployment.url}/console/#${path}`);
/** Takes a screenshot for the documentation when FRESHET_SCREENSHOTS is set. */
async function takeScreenshot(name: string): Promise<void> {
  if (!process.env['FRESHET_SCREENSHOTS']) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true });
}

test('a user can sign in with the keyboard only, and an invalid token is rejected', async () => {
  await page.goto(`${deployment.url}/console`);
  await page.getByLabel('API token').fill('frt_nobody');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('is unknown or has expired');
  await page.getByLabel('API token').fill(deployment.token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
  await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
  expect(await page.getByRole('table', { name: 'Pipelines' }).textContent()).toContain('succeeded');
  await takeScreenshot('pipelines');
  // Open the pipeline with the keyboard only.
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === 'demo') break;
  }
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'demo: active' }).waitFor();
});

test('the console shows the objects, runs, credits and rejected records of a pipeline, and replays the rejected records', async () => {
  await visit(`/pipelines/${pipelineId}`);
  const objects = page.getByRole('table', { name: 'Objects' });
  await objects.getByRole('cell', { name: 'tickets', exact: true }).waitFor();
  expect(await objects.textContent()).toContain('all history');
  expect(await page.getByRole('table', { name: 'Latest runs' }).textContent()).toContain('audit');
  expect(await page.getByRole('table', { name: 'Credits of the account' }).textContent()).toContain('account');
  const rejected = page.getByRole('table', { name: 'could not be loaded' });
  expect(await rejected.textContent()).toContain('value_not_bigint: priority');
  await takeScreenshot('pipeline');
  await deployment.updatePipeline(pipelineId, { schema_policy: 'evolve' });
  await rejected.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('No rejected records.').waitFor();
  expect(await page.getByRole('img', { name: /^Maximum lag per day/ }).count()).toBe(1);
  expect(await page.getByRole('img', { name: /^Credits used per day, by class/ }).count()).toBe(1);
  await page.getByText('Edit schedule').click();
  await page.getByLabel('Cron expression').fill('15 6 * * 1-5');
  await page.getByLabel('Time zone').fill('Nowhere/Land');
  await page.getByLabel('Priority').selectOption('high');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('time_zone');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('15 6 * * 1-5 (Europe/Berlin); high priority').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('heading', { name: 'demo: paused' }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('heading', { name: 'demo: active' }).waitFor();
});

test('the console starts a run and shows the progress until the run finishes', async () => {
  await visit(`/pipelines/${pipelineId}`);
  for (let id = 20; id < 40; id++) deployment.simulator.account.update('tickets', id, { subject: 'changed' });
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.getByRole('heading', { name: /: succeeded$/ }).waitFor({ timeout: 60_000 });
  expect(await page.getByRole('progressbar', { name: 'Progress of tickets: 100 %' }).count()).toBe(1);
  await takeScreenshot('run');
});

test('the console lists failed units and their errors, retries one unit, and discards one unit', async () => {
  await deployment.control.sql`
    insert into freshet.failed_units
      (id, pipeline_id, object, key, attempts, error_code, error_message, object_run_id, next_attempt_at)
    select gen_random_uuid(), pipeline_id, object, k, 3, 'source_unavailable',
      'Freshdesk responded with status 500.', id, now() + interval '1 hour'
    from freshet.object_runs, unnest(array['21', '22']) as k where pipeline_id = ${pipelineId} and object = 'conversations' order by id desc limit 2`;
  await visit(`/pipelines/${pipelineId}`);
  const units = page.getByRole('table', { name: 'Units of work that could not be extracted' });
  await units.getByRole('cell', { name: '21', exact: true }).waitFor();
  await units.getByRole('cell', { name: 'Freshdesk responded with status 500.' }).first().waitFor();
  await units
    .getByRole('row', { name: /^conversations 22/ })
    .getByRole('button', { name: 'Discard' })
    .click();
  await units.getByRole('cell', { name: '22', exact: true }).waitFor({ state: 'detached' });
  await units
    .getByRole('row', { name: /^conversations 21/ })
    .getByRole('button', { name: 'Retry' })
    .click();
  await page.getByText('No failed units.').waitFor({ timeout: 60_000 });
});

test('the console shows the processes and the backlog of the system', async () => {
  await visit('/system');
  const processes = page.getByRole('table', { name: 'Processes' });
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    await processes.getByRole('cell', { name, exact: true }).waitFor();
  await page.getByText('No dead jobs.').waitFor();
  await takeScreenshot('system');
});

test('the console tests the connections of a new pipeline, estimates its cost, and creates the pipeline', async () => {
  await visit('/new');
  await page.getByLabel('Name').fill('second');
  await page.getByLabel('Account').fill('second');
  await page.getByLabel('Historical sync').fill('20');
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('readable', { exact: true }).waitFor();
  await page.getByText('The first sync uses about').waitFor();
  // The form keeps the entered values.
  expect(await page.getByLabel('Historical sync').inputValue()).toBe('20');
  await takeScreenshot('new-pipeline');
  await page.getByLabel('Sync frequency').fill('7');
  await page.getByRole('button', { name: 'Create pipeline' }).click();
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('frequency_minutes must be 30');
  await page.getByLabel('Sync frequency').fill('60');
  await page.getByRole('button', { name: 'Create pipeline' }).click();
  await page.getByRole('heading', { name: 'second: active' }).waitFor();
});

test('the console has a dark color scheme, sends no requests to other hosts, and logs no unexpected errors', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await visit('/');
  await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 23, 27)');
  await takeScreenshot('dark');
  expect([...requestedHosts]).toEqual([new URL(deployment.url).host]);
  // The tests cause three expected errors: an invalid token, time zone and frequency.
  expect(consoleErrors.filter((text) => !/status of (40[01]|422)/.test(text))).toEqual([]);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  expect(await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])')).toBe('[{},{}]');
});
