#!/usr/bin/env node
/**
 * `npm run test:upgrade`: runs processes of the last release on the schema of this release and
 * beside its processes, as in a rolling upgrade. The last release is the newest tag `v…` before
 * this commit, or a fixed commit if there is no tag. Requires git with its history, and access to
 * the npm registry.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const BASELINE_COMMIT = '4739261daffa7cb78e507bbb2fc1a44487514df5';

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
  console.log(`== Processes of ${released} beside those of this checkout`);
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
