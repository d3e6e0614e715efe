import type { Locator } from 'playwright-core';
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

/**
 * The dialogs, drawers and menus: path, role, and the names of the controls that open them, one
 * after the other. Confirmations of other pages use the same component.
 */
const OVERLAYS: readonly (readonly [path: () => string, role: 'dialog' | 'menu' | 'listbox', openers: string[]])[] = [
  [() => '/credentials', 'dialog', ['Create credential']],
  [() => '/credentials', 'dialog', ['Replace the value of demo API key']],
  [() => '/credentials', 'dialog', ['Delete demo API key']],
  [() => '/destinations', 'dialog', ['Create destination']],
  [() => '/destinations', 'dialog', ['Edit demo warehouse']],
  [() => '/destinations', 'dialog', ['Delete demo warehouse']],
  [() => '/webhooks', 'dialog', ['Create alert']],
  [() => '/webhooks', 'dialog', ['Deliveries of ops']],
  [() => '/webhooks', 'menu', ['More actions for ops']],
  [() => '/webhooks', 'dialog', ['More actions for ops', 'Edit']],
  [() => '/webhooks', 'dialog', ['More actions for ops', 'Rotate secret']],
  [() => '/tokens', 'dialog', ['Create token']],
  [() => '/tokens', 'dialog', ['Edit bootstrap']],
  [() => '/tokens', 'dialog', ['Rotate bootstrap']],
  [() => '/audit-log', 'dialog', ['Details of createPipeline']],
  [() => '/system', 'dialog', ['Discard']],
  [() => `/pipelines/${pipelineId}/runs`, 'listbox', ['Kind of run']],
  [() => `/pipelines/${pipelineId}/objects`, 'dialog', ['Details of tickets']],
  [() => `/pipelines/${pipelineId}/objects`, 'dialog', ['Details of tickets', 'Restart']],
  [() => `/pipelines/${pipelineId}/objects`, 'dialog', ['Details of tickets', 'Set position']],
  [() => `/pipelines/${pipelineId}/objects`, 'dialog', ['Details of tickets', 'Rebuild table']],
  [() => `/pipelines/${pipelineId}/objects`, 'dialog', ['Details of tickets', 'Refresh a record']],
  [() => `/pipelines/${pipelineId}/settings`, 'dialog', ['Delete pipeline']],
];

/** Finds a button, an item of a menu or a list box by its name. */
function findControl(name: string): Locator {
  const { page } = browser;
  const find = (role: 'button' | 'menuitem' | 'combobox') => page.getByRole(role, { name, exact: true });
  return find('button').or(find('menuitem')).or(find('combobox')).first();
}

/** The properties of an element in the browser that the tests read. */
interface BrowserElement {
  readonly ownerDocument: { readonly activeElement: BrowserElement | null };
  contains(other: BrowserElement | null): boolean;
}

/** Whether an element, or an element in it, has the focus. */
const hasFocus = (element: Locator): Promise<boolean> =>
  element.evaluate((node) => {
    const browserElement = node as unknown as BrowserElement;
    return browserElement.contains(browserElement.ownerDocument.activeElement);
  });

async function findOverlayProblems(role: 'dialog' | 'menu' | 'listbox'): Promise<string[]> {
  const problems = await browser.findAccessibilityProblems();
  // A menu or a list box belongs to its button, although its element is outside of the landmarks.
  return problems.filter((problem) => role === 'dialog' || !problem.startsWith('region:'));
}

describe('an open dialog, drawer or menu', () => {
  test.each(OVERLAYS.map(([path, role, openers]) => ({ path, role, openers, name: openers.join(' → ') })))(
    'is accessible, receives the focus, closes with Escape and returns the focus ($name)',
    async ({ path, role, openers }) => {
      const { page } = browser;
      await browser.setWidth(1280);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.goto(`${deployment.url}/console${path()}`);
      for (const name of openers) {
        await findControl(name).focus();
        await page.keyboard.press('Enter');
      }
      const overlays = page.getByRole(role);
      const overlay = overlays.last();
      await overlay.waitFor();
      const count = await overlays.count();
      // The focus stays in a combobox, which refers to the active option.
      if (role !== 'listbox') await expect.poll(() => hasFocus(overlay)).toBe(true);
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        // Colors change gradually after a change of the scheme.
        await expect.poll(() => findOverlayProblems(role), { message: scheme, timeout: 5000 }).toEqual([]);
      }
      await page.keyboard.press('Escape');
      await expect.poll(() => overlays.count()).toBe(count - 1);
      // The menu item no longer exists, so the focus returns to the button of the menu.
      const opener = path() === '/webhooks' ? openers[0] : openers.at(-1);
      await expect.poll(() => hasFocus(findControl(opener ?? ''))).toBe(true);
    },
  );

  test('the navigation of a phone opens and closes with the keyboard', async () => {
    const { page } = browser;
    await browser.setWidth(360);
    await page.goto(`${deployment.url}/console/usage`);
    const burger = findControl('Navigation');
    const link = page.getByRole('link', { name: 'Tokens', exact: true });
    await burger.focus();
    await page.keyboard.press('Enter');
    await link.waitFor();
    expect(await browser.findAccessibilityProblems()).toEqual([]);
    await page.keyboard.press('Escape');
    await link.waitFor({ state: 'hidden' });
    expect(await hasFocus(burger)).toBe(true);
  });
});
