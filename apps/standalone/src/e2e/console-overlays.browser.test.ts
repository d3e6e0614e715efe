import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser } from '../test-support/console-browser.ts';
import { Deployment } from '../test-support/deployment.ts';

/* Checks the dialogs, drawers and menus of the console with axe and the keyboard. */

let deployment: Deployment;
let browser: ConsoleBrowser;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 20 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null, ['tickets', 'contacts']);
  await deployment.sync(pipelineId);
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
