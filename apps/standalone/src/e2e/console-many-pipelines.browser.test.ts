import type { Response } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Tests the list of pipelines and the usage with 1,000 pipelines: `npm run test:console`. The
 * benchmark `bench/src/console.ts` measures the time of the list.
 */

const PIPELINES = 1000;
const PAGE_SIZE = 25;

let deployment: Deployment;
let browser: ConsoleBrowser;

beforeAll(async () => {
  [deployment, browser] = await Promise.all([Deployment.start({}, ['api']), ConsoleBrowser.launch()]);
  const id = await deployment.createPipeline();
  await deployment.updatePipeline(id, { name: 'oldest' });
  // The ids are UUIDv7, like those of the store. Each pipeline has one run with two objects.
  await deployment.control.sql.unsafe(`
    insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days, credit_share_percent,
      destination_id, destination_schema, table_prefix, frequency_minutes, objects, schema_policy)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '70008'
        || lpad(to_hex(n), 15, '0'))::uuid,
      'pipeline ' || n, 'account-' || n,
      credential_id, 30, 80, destination_id, 'schema_' || n, '', 360, '{}', 'evolve'
    from freshet.pipelines, generate_series(1, ${PIPELINES - 1}) n;
    insert into freshet.runs (id, pipeline_id, status, trigger, started_at, finished_at)
    select id, id, case when name = 'pipeline 999' then 'failed' else 'succeeded' end, 'schedule', now(), now()
    from freshet.pipelines where name <> 'oldest';
    insert into freshet.object_runs (id, run_id, pipeline_id, object, status, mode, records_extracted,
      records_inserted, credits_used, complete_as_of)
    select gen_random_uuid(), id, id, object, case when name = 'pipeline 999' then 'failed' else 'succeeded' end,
      'incremental', 3, 3, 2, now() - interval '1 minute'
    from freshet.pipelines, unnest(array['tickets', 'contacts']) object where name <> 'oldest'`);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

test('the list fetches and renders one page, and its figures cover all pipelines', async () => {
  const { page } = browser;
  await browser.signIn(deployment.url, deployment.token);
  const paths: string[] = [];
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  const rows = page.getByRole('table', { name: 'Pipelines' }).getByRole('row');
  await page.goto(`${deployment.url}/console/`);
  await rows.nth(1).waitFor();
  // The first requests, before the page fetches its data again.
  const requests = paths.filter((path) => path.startsWith('/v1/'));
  expect(requests.sort()).toEqual([...new Set(requests)]);
  expect(requests.length).toBeLessThanOrEqual(5);
  // One row contains the headings.
  expect(await rows.count()).toBe(PAGE_SIZE + 1);
  expect(await rows.nth(1).textContent()).toMatch(/pipeline 999.*Failed.*2 of 2 objects failed/);
  await page.getByText(`of ${PIPELINES - 1} pipelines`).waitFor();
  await page.getByText('1 pipeline', { exact: true }).waitFor();
  // Two objects of each run have loaded three records.
  await page.getByText(((PIPELINES - 1) * 6).toLocaleString('en-US'), { exact: true }).waitFor();
});

test('a user moves through the pages, and finds a pipeline of a different page by its name', async () => {
  const { page } = browser;
  const getLink = (name: string) => page.getByRole('link', { name, exact: true });
  const press = (name: string) => page.getByRole('button', { name, exact: true }).press('Enter');
  await press('Next');
  await getLink('pipeline 974').waitFor();
  await page.getByText('Page 2').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await press('Previous');
  await getLink('pipeline 999').waitFor();
  await page.getByLabel('Search pipelines').fill('OLDEST');
  await getLink('oldest').waitFor();
  await getLink('pipeline 999').waitFor({ state: 'detached' });
  await page.getByLabel('Search pipelines').fill('account-12');
  await getLink('pipeline 129').waitFor();
});

test('the usage page fetches the sums by day and one page of pipelines', async () => {
  const { page } = browser;
  const responses: Response[] = [];
  const getPath = (response: Response) => new URL(response.url()).pathname;
  const addResponse = (response: Response) => responses.push(response);
  page.on('response', addResponse);
  const rows = page.getByRole('table', { name: 'Usage by pipeline' }).getByRole('row');
  await page.goto(`${deployment.url}/console/usage`);
  await rows.nth(1).waitFor();
  await page.getByRole('region', { name: 'Rate limit of the account' }).first().waitFor();
  page.off('response', addResponse);
  // One row contains the headings.
  expect(await rows.count()).toBe(PAGE_SIZE + 1);
  const paths = responses.map(getPath).filter((path) => path.startsWith('/v1/'));
  expect([...new Set(paths.map((path) => path.replace(/accounts\/[^/]+/, 'accounts/…')))].sort()).toEqual([
    '/v1/accounts/…/budget',
    '/v1/tokens/current',
    '/v1/usage/days',
    '/v1/usage/pipelines',
  ]);
  for (const response of responses.filter((candidate) => getPath(candidate).startsWith('/v1/usage')))
    expect((await response.body()).length, getPath(response)).toBeLessThan(16_384);
  // The chart contains the records of all pipelines, not only of the displayed page.
  const chart = page.getByRole('region', { name: 'Records per day' });
  await chart.getByRole('button', { name: 'Table of Records per day' }).press('Enter');
  await chart.getByText(((PIPELINES - 1) * 6).toLocaleString('en-US'), { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Next', exact: true }).press('Enter');
  await page.getByText('Page 2').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
});

test('the list of pipelines is fetched again only while the user can see it', async () => {
  const { page } = browser;
  const paths: string[] = [];
  await page.clock.install();
  await page.goto(`${deployment.url}/console/`);
  await page.getByRole('table', { name: 'Pipelines' }).getByRole('row').nth(1).waitFor();
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  /** Advances the clock of the page by 30 seconds, and returns the paths that the page fetches. */
  const poll = async () => {
    paths.length = 0;
    const summary = page.waitForResponse((response) => response.url().endsWith('/v1/pipelines/summary'));
    await page.clock.runFor(30_000);
    await summary;
    return paths;
  };
  expect(await poll()).toContain('/v1/pipelines/activity');
  // The figures fill the window. The list is below them.
  await page.setViewportSize({ width: 1280, height: 150 });
  await page.evaluate('window.scrollTo(0, 0)');
  expect(await poll()).not.toContain('/v1/pipelines/activity');
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(await poll()).toContain('/v1/pipelines/activity');
});

test('the list of pipelines is fetched again after an error, although the page shows no list', async () => {
  const { page } = browser;
  const isActivity = (url: URL) => url.pathname === '/v1/pipelines/activity';
  await page.clock.install();
  await page.route(isActivity, (route) =>
    route.fulfill({ status: 500, json: { code: 'internal_error', detail: 'The API is restarting.' } }),
  );
  await page.goto(`${deployment.url}/console/`);
  await page.getByText('The API is restarting.').waitFor();
  await page.unroute(isActivity);
  await page.clock.runFor(10_000);
  await page.getByRole('table', { name: 'Pipelines' }).getByRole('row').nth(1).waitFor();
});
