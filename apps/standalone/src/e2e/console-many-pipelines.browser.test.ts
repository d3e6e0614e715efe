import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Tests the list of pipelines with 1,000 pipelines: `npm run test:console`. The benchmark
 * `bench/src/console.ts` measures its time.
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
