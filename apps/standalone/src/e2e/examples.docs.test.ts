import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refreshAnalytics } from '@freshet/analytics';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/*
 * Runs the examples of the documentation against a deployment: the fenced `sh` and `sql` blocks
 * that are marked as `runnable` after their language. The shell examples need bash, curl and jq.
 */

interface Example {
  /** File and line of the block. */
  readonly location: string;
  readonly code: string;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Returns the runnable blocks of a language, without the indentation of list items. */
function readExamples(file: string, language: 'sh' | 'sql'): Example[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trimStart() !== `\`\`\`${language} runnable`) return [];
    const indentation = line.length - line.trimStart().length;
    const end = lines.indexOf(`${' '.repeat(indentation)}\`\`\``, index);
    const code = lines.slice(index + 1, end).map((l) => l.slice(indentation));
    return [{ location: `${file}:${index + 1}`, code: code.join('\n') }];
  });
}

/** Lists the Markdown files of a folder. */
function listFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => `${folder}/${file}`);
}

/**
 * Runs the examples in one bash session, which stops at the first failed command.
 * @param results the names of the shell variables to return.
 * @returns the final values of these variables.
 * @throws Error with the location of the failed example and its output.
 */
async function runShell(
  examples: readonly Example[],
  env: Readonly<Record<string, string>>,
  results: readonly string[],
): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-docs-'));
  const script = [
    'set -euo pipefail',
    ...examples.flatMap(({ location, code }) => [`LOCATION='${location}'; echo "# $LOCATION"`, code]),
    ...results.map((name) => `printf '%s' "$${name}" > '${join(folder, name)}'`),
  ].join('\n');
  try {
    const child = spawn('bash', ['-c', script], { env: { PATH: process.env['PATH'] ?? '', ...env } });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const status = await new Promise((resolve) => child.once('close', resolve));
    if (status !== 0) throw new Error(`An example failed with status ${String(status)}:\n${output.slice(-4000)}`);
    return Object.fromEntries(results.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('documentation examples', () => {
  let deployment: Deployment;

  beforeAll(async () => {
    const missing = ['bash', 'curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
    if (missing.length > 0) throw new Error(`The examples need ${missing.join(' and ')} on the PATH. Install them.`);
    // Start no scheduler, so that the webhooks of the examples send no requests.
    deployment = await Deployment.start({ counts: { tickets: 40 }, plan: 'enterprise' }, [
      'api',
      'extract-worker',
      'load-worker',
    ]);
  });
  afterAll(() => deployment?.[Symbol.asyncDispose]());

  test('the shell examples and the SQL queries of the documentation run on a new deployment', async () => {
    const warehouse = new URL(deployment.warehouse.warehouseUrl);
    const guide = readExamples('docs/api-guide.md', 'sh');
    expect(guide.length).toBeGreaterThan(10);
    const { PIPELINE = '', TOKEN = '' } = await runShell(
      guide,
      {
        API: deployment.url,
        ADMIN: deployment.token,
        FRESHDESK_SUBDOMAIN: 'acme',
        FRESHDESK_API_KEY: 'demo-admin-key',
        WAREHOUSE_HOST: warehouse.hostname,
        WAREHOUSE_PORT: warehouse.port,
        WAREHOUSE_DATABASE: warehouse.pathname.slice(1),
        WAREHOUSE_USER: decodeURIComponent(warehouse.username),
        WAREHOUSE_PASSWORD: decodeURIComponent(warehouse.password),
        WAREHOUSE_SSL_MODE: 'disable',
      },
      ['PIPELINE', 'TOKEN'],
    );
    await waitForRuns(deployment, PIPELINE);

    const reference = readExamples('docs/warehouse.md', 'sh');
    expect(reference.length).toBeGreaterThan(3);
    await runShell(reference, { API: deployment.url, PIPELINE, TOKEN }, []);
    await waitForRuns(deployment, PIPELINE);
    await deployment.sync(PIPELINE);

    const target = { schema: 'freshdesk_acme', tablePrefix: '', timeZone: null };
    await refreshAnalytics(deployment.warehouse.sql, target);
    const queries = ['docs/warehouse.md', 'README.md', 'docs/analytics.md', ...listFiles('docs/analytics')].flatMap(
      (file) => readExamples(file, 'sql'),
    );
    let recipesWithRows = 0;
    for (const { location, code } of queries) {
      const query = deployment.warehouse.sql.unsafe(code.replaceAll('freshdesk_demo', 'freshdesk_acme'));
      await expect(query, location).resolves.toBeDefined();
      if (location.startsWith('docs/analytics/recipes.md') && (await query).length > 0) recipesWithRows += 1;
    }
    // There are 15 recipes. One recipe needs activities, which the account may not have.
    expect(recipesWithRows).toBeGreaterThanOrEqual(14);
    const [row] = await deployment.warehouse.sql<
      { n: number }[]
    >`select count(*)::int as n from freshdesk_acme.tickets`;
    expect(row?.n).toBeGreaterThan(0);
  });
});

/** Waits until no run of the pipeline is active. */
async function waitForRuns(deployment: Deployment, pipelineId: string): Promise<void> {
  await waitFor(async () => {
    const rows = await deployment.control.sql`
      select 1 from freshet.runs where pipeline_id = ${pipelineId} and finished_at is null`;
    return rows.length === 0 ? true : null;
  }, 'all runs have finished');
}
