import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Tests the set-up of a pipeline in a browser, from an empty deployment to rows in the warehouse:
 * `npm run test:console`. The tests depend on each other: they are the steps of one user.
 */

/** The account returns conversations slowly, so that the page shows several states of the run. */
const CONVERSATIONS_DELAY_MS = 300;

let deployment: Deployment;
let browser: ConsoleBrowser;

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 400 },
    plan: 'enterprise',
    intercept: async ({ path }) => {
      if (path.endsWith('/conversations')) await sleep(CONVERSATIONS_DELAY_MS);
      return false;
    },
  });
  browser = await ConsoleBrowser.launch();
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

const button = (name: string) => browser.page.getByRole('button', { name, exact: true });
const heading = (name: string | RegExp) => browser.page.getByRole('heading', { name, level: 1 });

test('the address of the deployment leads to the console, which rejects an invalid token', async () => {
  const { page } = browser;
  await page.goto(deployment.url);
  await page.getByLabel('API token').fill('frt_nobody');
  await page.keyboard.press('Enter');
  await page.getByText('This token is unknown or has expired.').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('sign-in');
  await page.getByLabel('API token').fill(deployment.token);
  await page.keyboard.press('Enter');
  await heading('Pipelines').waitFor();
  await page.getByText('Replicate your first Freshdesk account').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('first-use');
});

test('the wizard normalizes the account, and explains how to fix a wrong API key', async () => {
  const { page } = browser;
  await page.getByRole('link', { name: 'Create pipeline' }).click();
  await heading('Connect Freshdesk').waitFor();
  await page.getByLabel('Freshdesk account').fill('https://Demo.freshdesk.com/a/tickets/1');
  await page.getByText('Freshet will read https://demo.freshdesk.com').waitFor();
  // The account is also the suggested name.
  await page.getByLabel('Pipeline name').focus();
  expect(await page.getByLabel('Pipeline name').inputValue()).toBe('demo');
  await page.getByRole('textbox', { name: 'API key' }).fill('wrong-key');
  await button('Test & continue').click();
  await page.getByText('demo.freshdesk.com cannot be read.').waitFor();
  await page.getByText('Copy the key again').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await page.getByRole('textbox', { name: 'API key' }).fill('demo-admin-key');
  await button('Test & continue').click();
  await page.getByText('The connection works').waitFor();
  // The key was replaced in the same credential.
  expect((await deployment.api.get('/v1/credentials')).data).toHaveLength(1);
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('wizard-connect');
  await button('Continue').click();
  await heading('Choose objects').waitFor();
});

test('the wizard updates the estimate with the selection, and can be left and resumed', async () => {
  const { page } = browser;
  const facts = page.locator('dl.facts');
  await expect.poll(() => facts.textContent(), { timeout: 20_000 }).toMatch(/Credits, first sync\d/);
  const getCredits = async () =>
    Number(/Credits, first sync([\d,]+)/.exec((await facts.textContent()) ?? '')?.[1]?.replaceAll(',', ''));
  const recommended = await getCredits();
  await browser.takeScreenshot('wizard-objects');
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await page.getByText('Tickets only', { exact: true }).click();
  const tickets = await getCredits();
  expect(tickets).toBeLessThan(recommended);
  await page.getByRole('switch', { name: 'Include Conversations' }).press('Space');
  await page.getByText('Custom', { exact: true }).waitFor();
  expect(await getCredits()).toBeLessThan(tickets);
  await page.getByText('Recommended', { exact: true }).click();
  await expect.poll(getCredits).toBe(recommended);
  // Including a child object also includes its parents.
  await page.getByRole('button', { name: /^Knowledge base/ }).click();
  await page.getByRole('switch', { name: 'Include Solution articles' }).press('Space');
  await expect.poll(() => page.getByRole('switch', { name: 'Include Solution categories' }).isChecked()).toBe(true);
  await page.getByText('Recommended', { exact: true }).click();
  await button('Save and finish later').click();
  await heading('Pipelines').waitFor();
  const stored = (await page.evaluate('JSON.stringify({ ...localStorage })')) as string;
  expect(stored).toContain('demo');
  expect(stored).not.toContain('demo-admin-key');
  await page.reload();
  await page.getByRole('link', { name: 'Continue set-up' }).click();
  await heading('Choose objects').waitFor();
  await button('Continue').click();
});

test('the wizard explains why a warehouse cannot be used, and accepts a pasted connection URL', async () => {
  const { page } = browser;
  await heading('Choose a destination').waitFor();
  const url = new URL(deployment.warehouse.warehouseUrl);
  const password = url.password;
  url.password = 'wrong-password';
  url.searchParams.set('sslmode', 'disable');
  await page.getByLabel('Host').fill(url.href);
  await page.getByRole('textbox', { name: 'Name' }).fill('analytics');
  expect(await page.getByLabel('Database').inputValue()).toBe(deployment.warehouse.name);
  await button('Test & continue').click();
  await page.getByText('The warehouse cannot be used.').waitFor();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await button('Test & continue').click();
  await page.getByText('The warehouse works.').waitFor();
  expect((await deployment.api.get('/v1/destinations')).data).toHaveLength(1);
  await browser.takeScreenshot('wizard-destination');
  await button('Continue').click();
});

test('the wizard previews the runs of a cron schedule in the zone of the viewer', async () => {
  const { page } = browser;
  await heading('Set the schedule').waitFor();
  await page.getByText('At set times (cron)').click();
  await page.getByLabel('Cron expression').fill('61 6 * * *');
  await page.getByText(/The expression is invalid/).waitFor();
  expect(await button('Continue').isDisabled()).toBe(true);
  await page.getByLabel('Cron expression').fill('15 6 * * 1-5');
  const runs = page.getByRole('list', { name: /^Next runs/ }).getByRole('listitem');
  expect(await runs.count()).toBe(5);
  expect(await runs.first().textContent()).toContain('06:15');
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('wizard-schedule');
  await page.getByText('At an interval').click();
  await button('Continue').click();
});

test('the wizard shows tables, credits and time before it creates the pipeline, and leads to the live run', async () => {
  const { page } = browser;
  await heading('Review and create').waitFor();
  await page.getByRole('heading', { name: 'Tables', level: 2 }).waitFor({ timeout: 30_000 });
  await page.getByText('Show the SQL').click();
  await page.getByText(/create table "freshdesk_demo"\."tickets"/).waitFor();
  await page.getByText('Show the SQL').click();
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await browser.takeScreenshot('wizard-review');
  await button('Create pipeline').click();
  await heading('demo').waitFor();
  await page.getByRole('heading', { name: /^First sync/ }).waitFor({ timeout: 60_000 });
});

test('the progress of the first sync rises until the rows are in the warehouse', async () => {
  const { page } = browser;
  const bar = page.getByRole('progressbar', { name: 'Progress of the run' });
  const isDone = page.getByText('Everything is up to date');
  const shares: number[] = [];
  const readShare = async () => {
    const share = await bar.getAttribute('aria-valuenow', { timeout: 1000 }).catch(() => null);
    if (share !== null) shares.push(Number(share));
    return shares.at(-1) ?? 0;
  };
  await expect.poll(readShare, { timeout: 60_000 }).toBeGreaterThan(25);
  await browser.takeScreenshot('first-sync');
  expect(await browser.findAccessibilityProblems()).toEqual([]);
  await expect
    .poll(
      async () => {
        await readShare();
        return isDone.isVisible();
      },
      { timeout: 110_000 },
    )
    .toBe(true);
  expect(shares.length).toBeGreaterThan(1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(Math.max(...shares)).toBeLessThanOrEqual(100);
  expect(new Set(shares).size).toBeGreaterThan(1);
  const [{ count } = { count: 0 }] = await deployment.warehouse.sql`select count(*)::int from freshdesk_demo.tickets`;
  expect(count).toBe(400);
  expect(await page.evaluate('localStorage.getItem("freshet.pipeline-draft")')).toBe(null);
  expect([...browser.requestedHosts]).toEqual([new URL(deployment.url).host]);
  // The invalid token is the only expected error.
  expect(browser.errors.filter((text) => !/status of 401/.test(text))).toEqual([]);
});
