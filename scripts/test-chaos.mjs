#!/usr/bin/env node
/**
 * `npm run test:chaos`: what `apps/standalone/src/e2e/chaos.e2e.test.ts` does for a quarter of a minute in `npm test`, for longer and with more of everything.
 * FRESHET_SEED repeats one; FRESHET_CHAOS_SECONDS (300), _PIPELINES (20) and _WORKERS (3 of each kind) make it longer, or larger.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const env = { FRESHET_CHAOS_SECONDS: '300', FRESHET_CHAOS_PIPELINES: '20', FRESHET_CHAOS_WORKERS: '3', ...process.env };
const args = [join(ROOT, 'scripts/run.mjs'), 'test', 'apps/standalone/src/e2e/chaos.e2e.test.ts'];
process.exit(spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1);
