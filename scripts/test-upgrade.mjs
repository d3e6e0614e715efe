#!/usr/bin/env node
/**
 * `npm run test:upgrade`: runs processes of the last release on the schema of this release,
 * alongside processes of this release, as in a rolling upgrade. The last release is the newest tag
 * `v…` before this commit, or a fixed commit if no tag exists. Requires git with its history, and
 * access to the npm registry.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLastRelease, runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const released = findLastRelease(ROOT);
if (released === null) process.exit(0);
const folder = mkdtempSync(join(tmpdir(), 'freshet-released-'));
try {
  console.log(`== Processes of ${released} alongside processes of this checkout`);
  runOrExit('bash', ['-c', `git archive ${released} | tar -x -C ${folder}`], { cwd: ROOT });
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  runOrExit('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: folder,
    env: { ...process.env, CI: 'true' },
  });
  runOrExit(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'test:release'], {
    cwd: ROOT,
    env: { ...process.env, FRESHET_RELEASED: folder },
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
