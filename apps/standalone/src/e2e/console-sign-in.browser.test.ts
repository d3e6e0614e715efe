import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProcessModule } from '@freshet/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/* Tests the one-time links that sign in to the console: `npm run test:console`. */

const FRESHET = findProcessModule('apps/freshet/src/main');

let deployment: Deployment;
let browser: ConsoleBrowser;

beforeAll(async () => {
  [deployment, browser] = await Promise.all([Deployment.start({}, ['api']), ConsoleBrowser.launch()]);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await deployment?.[Symbol.asyncDispose]();
});

/** Runs `freshet sign-in`, and returns the link that it prints. */
async function printLink(): Promise<string> {
  const env = { PATH: process.env['PATH'], FRESHET_URL: deployment.url, FRESHET_TOKEN: deployment.token };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [FRESHET, 'sign-in'], { env });
  expect(stderr).toMatch(/The link is valid for one sign-in, until \d\d:\d\d:\d\d/);
  return stdout.trim();
}

const getToken = (page: Page) => page.evaluate('sessionStorage.getItem("freshet.token")') as Promise<string>;
/** The status of a request with a token or a session. */
async function getStatus(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${deployment.url}/v1/tokens/current`, { headers })).status;
}
const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

test('the printed link signs in to the console, and its code appears in no address and no referrer', async () => {
  const { page } = browser;
  const link = await printLink();
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/console\?code=frc_\w{36}$/);
  const code = new URL(link).searchParams.get('code') as string;
  const referrers: string[] = [];
  page.on('request', (request) => referrers.push(request.headers()['referer'] ?? ''));
  await page.goto(link);
  await heading(page, 'Pipelines').waitFor();
  expect(page.url()).toBe(`${deployment.url}/console/`);
  await page.getByRole('link', { name: 'Tokens', exact: true }).click();
  await heading(page, 'Tokens').waitFor();
  await page.goBack();
  await heading(page, 'Pipelines').waitFor();
  expect(page.url()).not.toContain(code);
  expect(referrers.filter((referrer) => referrer.includes(code))).toEqual([]);
  expect(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })')).not.toContain(code);
  expect(await getToken(page)).toMatch(/^frs_/);
});

test('the page of a used link states how to get a new link, and still accepts a token', async () => {
  const link = await printLink();
  const first = await browser.openSeparatePage();
  await first.goto(link);
  await heading(first, 'Pipelines').waitFor();
  const second = await browser.openSeparatePage();
  await second.goto(link);
  await second.getByText('This sign-in link was already used or has expired.').waitFor();
  await second.getByText('npm run freshet sign-in').first().waitFor();
  expect(second.url()).not.toContain('code');
  expect(await browser.findAccessibilityProblems(second)).toEqual([]);
  await browser.takeScreenshot('sign-in-link-used', { page: second });
  await second.getByLabel('API token').fill(deployment.token);
  await second.keyboard.press('Enter');
  await heading(second, 'Pipelines').waitFor();
  // In the tab that is signed in already, the user stays signed in.
  await first.goto(link);
  await first.getByRole('button', { name: 'Use the link' }).click();
  await first.getByText('The sign-in link was not used').waitFor();
  await heading(first, 'Pipelines').waitFor();
});

test('a link asks before it replaces the session of a tab, and ends the replaced session', async () => {
  const page = await browser.openSeparatePage();
  await page.goto(await printLink());
  await heading(page, 'Pipelines').waitFor();
  const previous = await getToken(page);
  const link = await printLink();
  await page.goto(link);
  await heading(page, 'Use the sign-in link?').waitFor();
  await page.getByText('This tab is already signed in with the token bootstrap (team admin).').waitFor();
  expect(page.url()).not.toContain('code');
  expect(await browser.findAccessibilityProblems(page)).toEqual([]);
  await browser.takeScreenshot('sign-in-link-choice', { page });
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await heading(page, 'Pipelines').waitFor();
  expect(await getToken(page)).toBe(previous);
  // The link was not used, so it still works.
  await page.goto(link);
  await page.getByRole('button', { name: 'Use the link' }).click();
  await heading(page, 'Pipelines').waitFor();
  const current = await getToken(page);
  expect(current).toMatch(/^frs_/);
  expect(current).not.toBe(previous);
  await expect.poll(() => getStatus(previous)).toBe(401);
  // The console does not ask if the session of the tab has ended.
  await fetch(`${deployment.url}/v1/sessions/current`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${current}` },
  });
  await page.goto(await printLink());
  await heading(page, 'Pipelines').waitFor();
  expect(await getStatus(await getToken(page))).toBe(200);
});

test('signing out ends the session of a link', async () => {
  const { page } = browser;
  const token = await getToken(page);
  expect(await getStatus(token)).toBe(200);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await heading(page, 'Sign in to Freshet').waitFor();
  await expect.poll(() => getStatus(token)).toBe(401);
  // The reused link and the ended session are the only expected errors.
  expect(browser.errors.filter((text) => !/status of 401/.test(text))).toEqual([]);
});
