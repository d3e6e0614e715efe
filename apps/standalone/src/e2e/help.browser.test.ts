import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findViolations, launchChromium, openObservedPage } from '../test-support/browser.ts';
import { Deployment } from '../test-support/deployment.ts';

const SITE_SCRIPT = fileURLToPath(new URL('../../../../scripts/docs-site.mjs', import.meta.url));
/** The folder for screenshots. Absent: the tests take no screenshots. */
const SCREENSHOTS = process.env['FRESHET_SCREENSHOTS_DIR'];
/** Pages with diagrams, tables, code and cards. */
const PAGES = ['', 'quickstart', 'architecture/', 'objects/tickets', 'api/guide', 'comparison'];

let deployment: Deployment;
let browser: Browser;

beforeAll(async () => {
  const folder = execFileSync(process.execPath, [SITE_SCRIPT], { encoding: 'utf8' }).trim();
  [deployment, browser] = await Promise.all([
    Deployment.start({}, ['api'], { FRESHET_HELP_DIR: folder }),
    launchChromium(),
  ]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await deployment?.[Symbol.asyncDispose]();
});

const variants = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [360, 900, 1440].map((width) => ({ colorScheme, width })),
);

test.each(variants)(
  'the pages of the documentation site are accessible and send no requests to other hosts ($colorScheme, $width px)',
  async ({ colorScheme, width }) => {
    const { page, hosts, errors } = await openObservedPage(browser, { viewport: { width, height: 900 }, colorScheme });
    for (const path of PAGES) {
      await page.goto(`${deployment.url}/help/${path}`, { waitUntil: 'networkidle' });
      // The code of the site sets this title when it starts.
      await page.locator('.VPSwitchAppearance:not([title=""])').first().waitFor({ state: 'attached' });
      expect(await findViolations(page), path).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), path).toBe(true);
      if (SCREENSHOTS !== undefined) {
        mkdirSync(SCREENSHOTS, { recursive: true });
        const name = path.replaceAll('/', '-').replace(/-$/, '') || 'index';
        await page.screenshot({ path: `${SCREENSHOTS}/help-${name}-${colorScheme}-${width}.png` });
      }
    }
    expect([...hosts]).toEqual([new URL(deployment.url).host]);
    expect(errors).toEqual([]);
    await page.context().close();
  },
);

test('the search of the documentation site finds a column, and opens its page', async () => {
  const { page, hosts, errors } = await openObservedPage(browser, { viewport: { width: 1440, height: 900 } });
  await page.goto(`${deployment.url}/help`);
  expect(new URL(page.url()).pathname).toBe('/help/');
  await page.getByRole('button', { name: 'Search' }).first().click();
  await page.getByRole('searchbox').or(page.locator('#localsearch-input')).first().fill('_freshet_deleted_at');
  await page.locator('.result').first().waitFor();
  expect(await findViolations(page)).toEqual([]);
  await page.locator('.result', { hasText: 'Warehouse reference' }).first().click();
  await page.getByRole('heading', { name: 'Warehouse reference', level: 1 }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/help/concepts/warehouse');
  expect([...hosts]).toEqual([new URL(deployment.url).host]);
  expect(errors).toEqual([]);
});

test('diagrams are part of the page, and the navigation shows the version', async () => {
  const { page } = await openObservedPage(browser, { viewport: { width: 1440, height: 900 } });
  await page.goto(`${deployment.url}/help/architecture/`);
  expect(await page.locator('.diagram svg').count()).toBe(2);
  expect(await page.getByRole('img', { name: /^Flow chart: .*extract-worker/ }).count()).toBe(1);
  expect(await page.getByRole('link', { name: /^Version \d+\.\d+\.\d+$/ }).count()).toBeGreaterThan(0);
});
