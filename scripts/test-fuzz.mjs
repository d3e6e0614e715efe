#!/usr/bin/env node
/**
 * `npm run test:fuzz`: Schemathesis sends several thousand requests to a complete deployment, with
 * valid and invalid input. The requests cover the operations of the OpenAPI document, and follow
 * references in responses. Every response must be documented, and none may be a 5xx. Requires
 * Python 3 with venv, and access to PyPI. FRESHET_SEED sets the seed, to repeat an earlier run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDeployment } from './deployment.mjs';
import { createPythonEnvironment } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = createPythonEnvironment(ROOT, 'fuzz', join(ROOT, 'apps/api/fuzz/requirements.txt'));
const seed = process.env.FRESHET_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const examples = process.env.FRESHET_FUZZ_EXAMPLES ?? '25';
// These checks are excluded for the following reasons, in order: input that is valid according to
// its schema may refer to a resource that does not exist, `conventions.db.test.ts` tests
// unsupported methods, and Node itself responds to some invalid methods.
const excluded = 'positive_data_acceptance,unsupported_method,allow_header_conformance';

const deployment = await startDeployment(ROOT);
const folder = mkdtempSync(join(tmpdir(), 'freshet-fuzz-'));
// Limit long polling to one second, because it would otherwise wait for up to a minute per request.
// Other tests cover long polling.
writeFileSync(join(folder, 'schemathesis.toml'), '[parameters]\n"query.wait" = 1\n');
let failed = false;
try {
  console.log(`seed ${seed}`);
  // Test the token operations last and without stateful tests, because these operations may rotate
  // or delete the token in use.
  fuzz(['--exclude-tag', 'tokens', '--exclude-operation-id', 'streamRunEvents'], 'examples,coverage,fuzzing,stateful');
  fuzz(['--include-tag', 'tokens'], 'examples,coverage,fuzzing');
  const errors = readdirSync(deployment.logs).flatMap((file) =>
    readFileSync(join(deployment.logs, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"level":50') || line.includes('"level":"error"'))
      .map((line) => `${file}: ${line}`),
  );
  const apiErrors = errors.filter((line) => line.startsWith('api.log'));
  if (apiErrors.length > 0) {
    failed = true;
    console.error(`The API logged errors:\n${apiErrors.slice(0, 20).join('\n')}`);
  }
} finally {
  await deployment.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function fuzz(filters, phases) {
  const args = [
    'run',
    `${deployment.url}/v1/openapi.json`,
    '-H',
    `Authorization: Bearer ${deployment.token}`,
    '--checks',
    'all',
  ];
  args.push(
    '--exclude-checks',
    excluded,
    '--phases',
    phases,
    '--max-examples',
    examples,
    '--seed',
    seed,
    '--continue-on-failure',
    '--no-color',
    '--request-timeout',
    '60',
    ...filters,
  );
  const { status } = spawnSync(join(bin, 'st'), args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, SCHEMATHESIS_NO_TELEMETRY: '1' },
  });
  if (status !== 0) failed = true;
}
