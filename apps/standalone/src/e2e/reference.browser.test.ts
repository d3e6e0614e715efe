import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findViolations, launchChromium, openObservedPage } from '../test-support/browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/** The folder for screenshots. Absent: the tests take no screenshots. */
const SCREENSHOTS = process.env['FRESHET_SCREENSHOTS_DIR'];
const OPERATION = '#tag/pipelines/POST/v1/pipelines';
/** Labels of the features of Scalar that are not part of the reference. */
const VENDOR = /scalar|powered by|ask ai|agent|\bmcp\b|deploy|sdk|configure|share|developer tools|test request/i;

let deployment: Deployment;
let browser: Browser;

beforeAll(async () => {
  [deployment, browser] = await Promise.all([Deployment.start({}, ['api']), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await deployment?.[Symbol.asyncDispose]();
});

const variants = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [360, 900, 1440].map((width) => ({ colorScheme, width })),
);

test.each(variants)(
  'the API reference is accessible, has no features of its vendor and sends no requests to other hosts ($colorScheme, $width px)',
  async ({ colorScheme, width }) => {
    const { page, hosts, errors } = await openObservedPage(browser, { viewport: { width, height: 900 }, colorScheme });
    await page.goto(`${deployment.url}/docs/${OPERATION}`);
    await page.getByText('"$FRESHET_URL/v1/pipelines"').first().waitFor();
    expect(await findViolations(page)).toEqual([]);
    const controls = page.locator('a:visible, button:visible');
    expect((await controls.allInnerTexts()).filter((text) => VENDOR.test(text))).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await takeScreenshot(page, `operation-${colorScheme}-${width}`);
    expect([...hosts]).toEqual([new URL(deployment.url).host]);
    expect(errors).toEqual([]);
    await page.context().close();
  },
);

test('the API reference groups the operations by task, and each operation has three code samples', async () => {
  const { page, errors } = await openObservedPage(browser, { viewport: { width: 1440, height: 900 } });
  await page.goto(`${deployment.url}/docs/`);
  await page.getByText('Set up', { exact: true }).first().waitFor();
  expect(await findViolations(page)).toEqual([]);
  const text = await page.locator('body').innerText();
  const positions = ['Set up', 'Run and monitor', 'Protect data', 'Operate'].map((name) => text.indexOf(`\n${name}\n`));
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  await takeScreenshot(page, 'start');
  await page.goto('about:blank');
  await page.goto(`${deployment.url}/docs/${OPERATION}`);
  await page.getByText('"$FRESHET_URL/v1/pipelines"').first().waitFor();
  await page.getByText('curl', { exact: true }).first().click();
  await page.getByText('Python', { exact: true }).last().click();
  await page.getByText('requests.post(').first().waitFor();
  expect(errors).toEqual([]);
});

async function takeScreenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/reference-${name}.png` });
}
