#!/usr/bin/env node
/**
 * `npm run test:upgrade`: runs processes of the last release on the schema of this release,
 * alongside processes of this release, as in a rolling upgrade. The last release is the newest tag
 * `v…` before this commit, or a fixed commit if no tag exists. Requires git with its history, and
 * access to the npm registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The first commit that has the same initial migration as the first release. */
const BASELINE_COMMIT = '70e333ee7c2acb00d2fa894a4b91eec0f3afc76f';

const git = (...args) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^').stdout.trim();
const released = tag === '' ? BASELINE_COMMIT : tag;
if (git('cat-file', '-e', `${released}^{commit}`).status !== 0) {
  if (git('rev-parse', '--is-shallow-repository').stdout.trim() === 'true') {
    console.log(
      `SKIPPED: this shallow clone does not contain ${released}. Fetch the history with: git fetch --unshallow`,
    );
    process.exit(0);
  }
  console.error(`The commit ${released} does not exist in this repository.`);
  process.exit(1);
}
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
