import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModels } from '../models/model.ts';
import { listReports } from '../reports/report.ts';
import { buildCasePage } from './case-page.ts';
import { buildDbtExposures } from './dbt-exposures.ts';
import { buildDbtMacros } from './dbt-macros.ts';
import { buildDbtSchema } from './dbt-schema.ts';
import { buildMetricsPage } from './metrics-page.ts';
import { buildModelIndex, buildModelPage } from './model-pages.ts';
import { buildReportPage } from './report-page.ts';

/**
 * Writes the files that are generated from the models. With `--check`, compares the files with the
 * models instead, and fails if a file is out of date.
 */

const models = loadModels();
const files: ReadonlyMap<string, string> = new Map([
  ['integrations/dbt/models/schema.yml', buildDbtSchema(models)],
  ['integrations/dbt/macros/expressions.sql', buildDbtMacros(models)],
  ['integrations/dbt/models/exposures.yml', buildDbtExposures(listReports())],
  ['docs/analytics/reports.md', buildReportPage(listReports())],
  ['docs/analytics/metrics.md', buildMetricsPage()],
  ['docs/analytics/cases.md', buildCasePage()],
  ['docs/analytics/models.md', buildModelIndex(models)],
  ...models
    .filter(({ internal }) => !internal)
    .map((model) => [`docs/analytics/models/${model.name}.md`, buildModelPage(model)] as const),
]);

const isCheck = process.argv.includes('--check');
const outdated: string[] = [];
for (const [path, content] of files) {
  const file = fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
  if (isCheck) {
    if (readIfExists(file) !== content) outdated.push(path);
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
if (outdated.length > 0) {
  console.error(`Out of date: ${outdated.join(', ')}. Run \`npm run docs:models\`, and commit the result.`);
  process.exitCode = 1;
}

function readIfExists(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
