import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser, type ScreenshotSize, WIDTHS } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';
import { insertRunHistory } from '../test-support/run-history.ts';

/*
 * Checks every page of the console with axe in both color schemes and at three widths, and takes
 * the screenshots of the documentation: `FRESHET_SCREENSHOTS=1 npm run test:console`.
 */

let deployment: Deployment;
let browser: ConsoleBrowser;
let pipelineId: string;
let runId: string;

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 300 },
    // The reports compare two periods of 30 days.
    spanDays: 62,
    lifecycle: true,
    plan: 'enterprise',
    missingFeatures: ['Timesheets'],
  });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  runId = (await deployment.sync(pipelineId)).id;
  await deployment.enableAnalytics(pipelineId);
  await insertRunHistory(deployment.control.sql, pipelineId);
  await deployment.api.post('/v1/webhooks', {
    body: { name: 'ops', url: 'http://127.0.0.1:9/', events: ['run.failed', 'freshness.missed'] },
  });
  await deployment.control.sql`
    insert into freshet.dead_jobs (id, queue, data, attempts, reason, pipeline_id)
    values (gen_random_uuid(), 'load', '{}', 11, 'The worker was killed.', ${pipelineId})`;
  browser = await ConsoleBrowser.launch();
  await browser.signIn(deployment.url, deployment.token);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

/** The pages: name, path, and a text that is visible once the page has its data. */
const PAGES: readonly (readonly [name: string, path: () => string, text: string])[] = [
  ['pipelines', () => '/', 'demo.freshdesk.com'],
  ['pipeline-overview', () => `/pipelines/${pipelineId}`, 'Records per day'],
  ['pipeline-objects', () => `/pipelines/${pipelineId}/objects`, 'freshdesk_demo.tickets'],
  ['pipeline-data-connect', () => `/pipelines/${pipelineId}/data`, 'Connect with psql'],
  [
    'pipeline-data',
    () => `/pipelines/${pipelineId}/data?table=freshdesk_demo_analytics.daily_summary&view=preview`,
    'by day, group_id, source descending',
  ],
  ['pipeline-runs', () => `/pipelines/${pipelineId}/runs`, 'Repaired by audit'],
  ['pipeline-failures', () => `/pipelines/${pipelineId}/failures`, 'No failed units'],
  ['pipeline-settings', () => `/pipelines/${pipelineId}/settings`, 'No person has been erased.'],
  ['run-page', () => `/runs/${runId}`, 'Timeline'],
  ['reports', () => '/reports', 'Most arrive on'],
  ['usage', () => '/usage', 'By pipeline'],
  ['credentials', () => '/credentials', 'Freshdesk API key'],
  ['destinations-page', () => '/destinations', 'demo warehouse'],
  ['alerts', () => '/webhooks', 'ops'],
  ['tokens', () => '/tokens', 'this session'],
  ['audit-log', () => '/audit-log', 'createPipeline'],
  ['system', () => '/system', 'The worker was killed.'],
  ['guides', () => '/guides', 'Query the tables'],
  ['wizard', () => '/pipelines/new', 'Where is the API key?'],
  ['not-found', () => '/nowhere', 'This page does not exist'],
];

/** The heights of screenshots in pixels, and their scales, if they are not the default. */
const SCREENSHOT_SIZES: Readonly<Record<string, ScreenshotSize>> = {
  reports: { heightMax: 2000 },
  // The README shows this screenshot.
  'pipeline-overview': { heightMax: 1030, scale: 2 },
  'pipeline-overview-dark': { heightMax: 1030 },
};

/** Returns the name of the screenshot for the documentation. Null: there is none. */
function getScreenshotName(name: string, scheme: 'light' | 'dark', width: number): string | null {
  if (scheme === 'light' && width === 1280) return name;
  if (scheme === 'dark' && width === 1280 && name === 'pipeline-overview') return `${name}-dark`;
  return scheme === 'light' && width === 360 && name === 'pipelines' ? `${name}-phone` : null;
}

describe.each(PAGES)('%s', (name, path, text) => {
  test.each(['light', 'dark'] as const)(
    'has no accessibility violation in the %s color scheme at any width',
    async (scheme) => {
      const { page } = browser;
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.goto(`${deployment.url}/console${path()}`);
      await page.getByRole('main').getByText(text).first().waitFor();
      await page
        .getByRole('status', { name: /^Loading/ })
        .first()
        .waitFor({ state: 'detached' });
      for (const width of WIDTHS) {
        await browser.setWidth(width);
        expect(await browser.findAccessibilityProblems(), `${width} px`).toEqual([]);
        expect(await browser.getHorizontalOverflow(), `${width} px`).toBeLessThanOrEqual(0);
        const screenshot = getScreenshotName(name, scheme, width);
        if (screenshot !== null) await browser.takeScreenshot(screenshot, SCREENSHOT_SIZES[screenshot]);
      }
    },
  );
});
