import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  process.env['CHROMIUM'] ?? '',
].find((path) => path !== '' && existsSync(path));

/** Starts the Chromium of the system, or the one at the path in CHROMIUM. */
export function launchChromium(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('Chromium is missing. Install it, or set CHROMIUM to its path.');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A page, the hosts of all its requests, and the errors in its browser console. */
export interface ObservedPage {
  readonly page: Page;
  readonly hosts: ReadonlySet<string>;
  readonly errors: readonly string[];
}

/** Opens an empty page and observes its requests and errors. */
export async function openObservedPage(browser: Browser, options: BrowserContextOptions): Promise<ObservedPage> {
  const page = await (await browser.newContext(options)).newPage();
  const hosts = new Set<string>();
  const errors: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:') hosts.add(url.host);
  });
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  return { page, hosts, errors };
}

/** Returns the accessibility violations of the page that axe finds, one line for each rule. */
export async function findViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | ')))`);
}
