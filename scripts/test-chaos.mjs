#!/usr/bin/env node
/**
 * `npm run test:chaos`: runs `apps/standalone/src/e2e/chaos.e2e.test.ts` longer and with more
 * pipelines and workers than `npm test`, which runs it for 15 seconds. FRESHET_SEED sets the seed,
 * to repeat an earlier run. FRESHET_CHAOS_SECONDS (300), FRESHET_CHAOS_PIPELINES (20) and
 * FRESHET_CHAOS_WORKERS (3 of each kind) set the duration and size of the run.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const env = { FRESHET_CHAOS_SECONDS: '300', FRESHET_CHAOS_PIPELINES: '20', FRESHET_CHAOS_WORKERS: '3', ...process.env };
const args = [join(ROOT, 'scripts/run.mjs'), 'test', 'apps/standalone/src/e2e/chaos.e2e.test.ts'];
process.exit(spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1);
