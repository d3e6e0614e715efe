#!/usr/bin/env node
/**
 * `npm run test:fuzz`: Schemathesis calls every operation of the document on a whole deployment, some thousand times, with what
 * its schemas allow and what they do not, and follows what answers refer to. No answer may be a 5xx, or one that the document
 * does not have. Needs Python 3 with venv, and PyPI. FRESHET_SEED repeats a run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDeployment } from './deployment.mjs';
import { pythonEnvironment } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = pythonEnvironment(ROOT, 'fuzz', join(ROOT, 'apps/api/fuzz/requirements.txt'));
const seed = process.env.FRESHET_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const examples = process.env.FRESHET_FUZZ_EXAMPLES ?? '25';
// What is valid by its schema may still name something that there is not; `api.db.test.ts` looks at wrong methods, and Node
// itself answers some that are not of HTTP.
const excluded = 'positive_data_acceptance,unsupported_method,allow_header_conformance';

const deployment = await startDeployment(ROOT);
const folder = mkdtempSync(join(tmpdir(), 'freshet-fuzz-'));
// Who asks to be kept waiting is, for up to a minute: that is looked at elsewhere, and would be most of the time here.
writeFileSync(join(folder, 'schemathesis.toml'), '[parameters]\n"query.wait" = 1\n');
let failed = false;
try {
  console.log(`seed ${seed}`);
  // Its own token would be among what it rotates and deletes: those come last, without following what answers refer to.
  fuzz(['--exclude-tag', 'tokens', '--exclude-operation-id', 'watchRun'], 'examples,coverage,fuzzing,stateful');
  fuzz(['--include-tag', 'tokens'], 'examples,coverage,fuzzing');
  const errors = readdirSync(deployment.logs).flatMap((file) =>
    readFileSync(join(deployment.logs, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"level":50') || line.includes('"level":"error"'))
      .map((line) => `${file}: ${line}`),
  );
  const own = errors.filter((line) => line.startsWith('api.log'));
  if (own.length > 0) {
    failed = true;
    console.error(`The API has logged errors:\n${own.slice(0, 20).join('\n')}`);
  }
} finally {
  await deployment.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function fuzz(which, phases) {
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
    ...which,
  );
  const { status } = spawnSync(join(bin, 'st'), args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, SCHEMATHESIS_NO_TELEMETRY: '1' },
  });
  if (status !== 0) failed = true;
}
