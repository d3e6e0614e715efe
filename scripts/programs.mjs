/**
 * Installs Python programs from PyPI into virtual environments, and Go programs from the Go module
 * proxy, for tests and checks. An installation is reused until its versions change.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The Go package of Helm. */
export const HELM = 'helm.sh/helm/v3/cmd/helm@v3.19.0';

/**
 * Creates the virtual environment if it is missing or outdated.
 * @returns the folder of its programs.
 */
export function createPythonEnvironment(root, name, requirements) {
  const folder = join(root, 'node_modules/.python', name);
  const stamp = join(folder, '.installed');
  const state = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
    rmSync(folder, { recursive: true, force: true });
    runOrExit('python3', ['-m', 'venv', folder]);
    runOrExit(join(folder, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '-r',
      requirements,
    ]);
    writeFileSync(stamp, state);
  }
  return join(folder, 'bin');
}

/**
 * Installs a Go program if it is missing.
 * @param program the path and the version of the package, such as `example.com/cmd/tool@v1.0.0`.
 * @returns the path of the program.
 */
export function installGoProgram(root, program) {
  const [path, version] = program.split('@');
  const folder = join(root, 'node_modules/.go', version);
  const file = join(folder, basename(path));
  if (!existsSync(file)) runOrExit('go', ['install', program], { env: { ...process.env, GOBIN: folder } });
  return file;
}

/** The folder of the Terraform provider, relative to the root of the repository. */
const TERRAFORM = 'integrations/terraform';

/**
 * Builds the Terraform provider. Two builds of the same sources are equal.
 * @param {string} file the program.
 * @param {{ version: string, os?: string, arch?: string }} options the platform, with Go's names.
 *   Absent: the platform of this machine.
 */
export function buildTerraformProvider(root, file, { version, os, arch }) {
  const args = ['build', '-trimpath', '-ldflags', `-s -w -buildid= -X main.version=${version}`, '-o', file, '.'];
  const platform = os === undefined ? {} : { GOOS: os, GOARCH: arch };
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', ...platform };
  runOrExit('go', args, { cwd: join(root, TERRAFORM), env });
}

/** The first commit that has the same initial migration as the first release. */
const BASELINE_COMMIT = '70e333ee7c2acb00d2fa894a4b91eec0f3afc76f';

/**
 * Finds the last release: the newest tag `v…` before this commit, or a fixed commit if no tag
 * exists. If this commit is not part of a shallow clone, prints a message and returns null.
 */
export function findLastRelease(root) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^').stdout.trim();
  const released = tag === '' ? BASELINE_COMMIT : tag;
  if (git('cat-file', '-e', `${released}^{commit}`).status === 0) return released;
  if (git('rev-parse', '--is-shallow-repository').stdout.trim() !== 'true') {
    console.error(`The commit ${released} does not exist in this repository.`);
    process.exit(1);
  }
  console.log(
    `SKIPPED: this shallow clone does not contain ${released}. Fetch the history with: git fetch --unshallow`,
  );
  return null;
}

/** Runs a program and waits for its exit. Exits this process with status 1 if the program fails. */
export function runOrExit(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(error?.message ?? `${program} exited with status ${status}.`);
  process.exit(1);
}

/**
 * Runs a program in the background.
 * @returns the output of the program, which rejects with the output if the program fails.
 */
export function runInBackground(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${output}${program} ${args.join(' ')} exited with status ${status}.`));
    });
  });
}
