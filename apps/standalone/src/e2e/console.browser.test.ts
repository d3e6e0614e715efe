import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/*
 * The operators' console, in a real browser: `npm run test:console`. Chromium comes with the system (`apt-get install chromium`), or from where CHROMIUM says.
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
/** Hosts that the page has asked for anything, and what its console has said. */
const asked = new Set<string>();
const said: string[] = [];

beforeAll(async () => {
  if (CHROMIUM === undefined) throw new Error('Chromium must be installed, or CHROMIUM say where it is.');
  deployment = await Deployment.start({ counts: { tickets: 80 }, plan: 'enterprise' });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.api.call('PATCH', `/v1/pipelines/${pipelineId}`, { schema_policy: 'freeze' });
  await deployment.sync(pipelineId);
  deployment.simulator.account.update('tickets', 7, { priority: 'urgent' });
  await deployment.sync(pipelineId);
  await deployment.audit(pipelineId);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  page = await (await browser.newContext({ viewport: { width: 1200, height: 800 } })).newPage();
  page.on('request', (request) => asked.add(new URL(request.url()).host));
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  await deployment?.[Symbol.asyncDispose]();
});

const visit = (path: string) => page.goto(`${deployment.url}/console/#${path}`);
/** Kept in the documentation when that is asked for. */
async function picture(name: string): Promise<void> {
  if (!process.env['FRESHET_SCREENSHOTS']) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true });
}

test('somebody signs in with a token, by keyboard, and one that is wrong is refused', async () => {
  await page.goto(`${deployment.url}/console`);
  await page.getByLabel('API token').fill('frt_nobody');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('not known here');
  await page.getByLabel('API token').fill(deployment.token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
  await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
  expect(await page.getByRole('table', { name: 'Pipelines' }).textContent()).toContain('succeeded');
  await picture('pipelines');
  // By keyboard alone, to the pipeline.
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === 'demo') break;
  }
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'demo: active' }).waitFor();
});

test('a pipeline shows its objects, runs, credits, and rejected records, which are replayed', async () => {
  await visit(`/pipelines/${pipelineId}`);
  const objects = page.getByRole('table', { name: 'Objects' });
  await objects.getByRole('cell', { name: 'tickets', exact: true }).waitFor();
  expect(await objects.textContent()).toContain('the beginning');
  expect(await page.getByRole('table', { name: 'The newest runs' }).textContent()).toContain('audit');
  expect(await page.getByRole('table', { name: 'The account’s credits' }).textContent()).toContain('account');
  const rejected = page.getByRole('table', { name: 'could not be loaded' });
  expect(await rejected.textContent()).toContain('value_not_bigint: priority');
  await picture('pipeline');
  await deployment.api.call('PATCH', `/v1/pipelines/${pipelineId}`, { schema_policy: 'evolve' });
  await rejected.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('Every record could be loaded.').waitFor();
  expect(await page.getByRole('img', { name: /^Longest lag by day/ }).count()).toBe(1);
  expect(await page.getByRole('img', { name: /^Credits spent by day, and what for/ }).count()).toBe(1);
  await page.getByText('Change its schedule').click();
  await page.getByLabel('Cron expression').fill('15 6 * * 1-5');
  await page.getByLabel('Time zone of the expression').fill('Nowhere/Land');
  await page.getByLabel('Priority').selectOption('high');
  await page.getByRole('button', { name: 'Change it' }).click();
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('time_zone');
  await page.getByLabel('Time zone of the expression').fill('Europe/Berlin');
  await page.getByRole('button', { name: 'Change it' }).click();
  await page.getByText('15 6 * * 1-5 (Europe/Berlin); high priority').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('heading', { name: 'demo: paused' }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('heading', { name: 'demo: active' }).waitFor();
});

test('a run is started and shown live, to its end', async () => {
  await visit(`/pipelines/${pipelineId}`);
  for (let id = 20; id < 40; id++) deployment.simulator.account.update('tickets', id, { subject: 'changed' });
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByRole('heading', { name: /: succeeded$/ }).waitFor({ timeout: 60_000 });
  expect(await page.getByRole('progressbar', { name: 'Progress of tickets: 100 %' }).count()).toBe(1);
  await picture('run');
});

test('failed units are listed with their error, and are retried and discarded', async () => {
  await deployment.control.sql`
    insert into freshet.failed_units (id, pipeline_id, object, key, attempts, error_code, error_message, object_run_id, next_attempt_at)
    select gen_random_uuid(), pipeline_id, object, k, 3, 'source_unavailable', 'Freshdesk answered with status 500.', id, now() + interval '1 hour'
    from freshet.object_runs, unnest(array['21', '22']) as k where pipeline_id = ${pipelineId} and object = 'conversations' order by id desc limit 2`;
  await visit(`/pipelines/${pipelineId}`);
  const units = page.getByRole('table', { name: 'Units of work that could not be read and are set aside' });
  await units.getByRole('cell', { name: '21', exact: true }).waitFor();
  await units.getByRole('cell', { name: 'Freshdesk answered with status 500.' }).first().waitFor();
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

test('the system shows who is alive and what waits', async () => {
  await visit('/system');
  const processes = page.getByRole('table', { name: 'Processes' });
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    await processes.getByRole('cell', { name, exact: true }).waitFor();
  await page.getByText('No job was set aside.').waitFor();
  await picture('system');
});

test('a pipeline is tried, priced and made', async () => {
  await visit('/new');
  await page.getByLabel('Name').fill('second');
  await page.getByLabel('Account').fill('second');
  await page.getByLabel('Days of history').fill('20');
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText('can be read', { exact: true }).waitFor();
  await page.getByText('The first sync takes about').waitFor();
  // What was filled in stays.
  expect(await page.getByLabel('Days of history').inputValue()).toBe('20');
  await picture('new-pipeline');
  await page.getByLabel('Minutes between runs').fill('7');
  await page.getByRole('button', { name: 'Make it' }).click();
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('frequency_minutes must be 30');
  await page.getByLabel('Minutes between runs').fill('60');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('heading', { name: 'second: active' }).waitFor();
});

test('it is there in the dark, asks no other host, breaks no rule of its own, and has nothing to say of errors', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await visit('/');
  await page.getByRole('heading', { name: 'Pipelines' }).waitFor();
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 23, 27)');
  await picture('dark');
  expect([...asked]).toEqual([new URL(deployment.url).host]);
  // Three refusals were asked for: a token, a time zone, and a frequency.
  expect(said.filter((text) => !/status of (40[01]|422)/.test(text))).toEqual([]);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  expect(await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])')).toBe('[{},{}]');
});
