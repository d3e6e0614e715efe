import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Chromium from the system (`apt-get install chromium`), or at the path in CHROMIUM. */
const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  process.env['CHROMIUM'] ?? '',
].find((path) => path !== '' && existsSync(path));
const SCREENSHOTS = fileURLToPath(new URL('../../../../docs/console/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** The widths at which the pages are tested: a phone, a laptop and a large screen. */
export const WIDTHS = [360, 1280, 1920] as const;
const HEIGHT = 800;
const SCREENSHOT_HEIGHT_MAX = 1300;
/** The time within which an element must appear, on a busy machine. */
const TIMEOUT_MS = 20_000;

export interface ScreenshotSize {
  /** The window becomes as high as the page, up to this number of pixels. */
  readonly heightMax?: number;
  /** The number of pixels of the screenshot for each pixel of the page. */
  readonly scale?: number;
}

/** A browser with one page, which records the requests and errors of the page. */
export class ConsoleBrowser implements AsyncDisposable {
  readonly page: Page;
  /** The hosts of all requests. */
  readonly requestedHosts = new Set<string>();
  /** The errors in the browser console, and uncaught exceptions. */
  readonly errors: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    this.#observe(page);
  }

  #observe(page: Page): void {
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http')) this.requestedHosts.add(url.host);
    });
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  static async launch(): Promise<ConsoleBrowser> {
    if (CHROMIUM === undefined) throw new Error('Chromium is missing. Install it, or set CHROMIUM to its path.');
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    return new ConsoleBrowser(browser, await openPage(browser));
  }

  /** Opens a page that shares no storage with the first page, like a different browser. */
  async openSeparatePage(): Promise<Page> {
    const page = await openPage(this.#browser);
    this.#observe(page);
    return page;
  }
  /** Opens the console at `url` in this tab, signed in with `token`. */
  async signIn(url: string, token: string): Promise<void> {
    await this.page.goto(`${url}/console/`);
    await this.page.getByLabel('API token').fill(token);
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('heading', { name: 'Pipelines', level: 1 }).waitFor();
  }

  async setWidth(width: number): Promise<void> {
    await this.page.setViewportSize({ width, height: HEIGHT });
  }

  /** Returns the violations of accessibility rules on a page. */
  async findAccessibilityProblems(page = this.page): Promise<string[]> {
    const isInstalled = await page.evaluate('typeof window.axe === "object"');
    // The content security policy blocks inline scripts, so axe is evaluated instead of added.
    if (!isInstalled) await page.evaluate(readFileSync(AXE, 'utf8'));
    const results = (await page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] })',
    )) as unknown as AxeResults;
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`),
    );
  }

  /** Returns by how many pixels the page is wider than the window. */
  async getHorizontalOverflow(): Promise<number> {
    return (await this.page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number;
  }

  /** Takes a screenshot for the documentation when FRESHET_SCREENSHOTS is set. */
  async takeScreenshot(
    name: string,
    { heightMax = SCREENSHOT_HEIGHT_MAX, scale = 1, page = this.page }: ScreenshotSize & { readonly page?: Page } = {},
  ): Promise<void> {
    if (!process.env['FRESHET_SCREENSHOTS']) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    const { width = 0 } = page.viewportSize() ?? {};
    const height = (await page.evaluate('document.documentElement.scrollHeight')) as number;
    const window = { width, height: Math.min(heightMax, Math.max(HEIGHT, height)) };
    await page.setViewportSize(window);
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setDeviceMetricsOverride', { ...window, deviceScaleFactor: scale, mobile: false });
    await page.evaluate('window.scrollTo(0, 0)');
    // The screenshots of Playwright always have the scale of the context.
    const { data } = await session.send('Page.captureScreenshot', { format: 'png' });
    writeFileSync(`${SCREENSHOTS}${name}.png`, Buffer.from(data, 'base64'));
    await session.send('Emulation.clearDeviceMetricsOverride');
    await session.detach();
    await page.setViewportSize({ width, height: HEIGHT });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

async function openPage(browser: Browser): Promise<Page> {
  // Tests must not depend on the time zone of the machine, and animations would blur screenshots.
  const context = await browser.newContext({
    viewport: { width: 1280, height: HEIGHT },
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  return await context.newPage();
}
