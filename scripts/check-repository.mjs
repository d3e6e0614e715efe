#!/usr/bin/env node
/**
 * `npm run check:repository`: lints the workflows of GitHub Actions and their shell commands, and
 * validates the configuration of Renovate, the issue forms, the dev container and the debugger.
 * Requires Python 3 with venv, Go, and access to PyPI and to the Go module proxy.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { createPythonEnvironment, installGoProgram, runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';

const python = createPythonEnvironment(ROOT, 'deploy', join(ROOT, 'deploy/requirements.txt'));
const problems = [];

const inRepository = { cwd: ROOT, env: { ...process.env, PATH: `${python}:${process.env.PATH}` } };
// actionlint runs shellcheck on the commands of the workflows.
runOrExit(installGoProgram(ROOT, ACTIONLINT), ['-color'], inRepository);
// zizmor checks permissions, credentials and the injection of untrusted values.
runOrExit('zizmor', ['--offline', '--no-progress', '--quiet', '.github'], inRepository);
checkSchema('vendor.github-workflows', globSync('.github/workflows/*.yml', { cwd: ROOT }));
checkSchema('vendor.renovate', ['renovate.json']);
checkSchema('vendor.compose-spec', ['deploy/compose.yaml']);
runOrExit('shellcheck', ['.ci/run', '.devcontainer/install.sh'], inRepository);
checkNodeVersions();
checkScripts();
checkDebugger();
checkOwners();

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log('The files for contributors are valid.');

function checkSchema(schema, files) {
  runOrExit(join(python, 'check-jsonschema'), ['--builtin-schema', schema, ...files], inRepository);
}

function read(file) {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Checks that every file names the Node version that the workspace pins. */
function checkNodeVersions() {
  const pinned = /^nodeVersion: (\S+)$/m.exec(read('pnpm-workspace.yaml'))[1];
  const { optionalDependencies } = JSON.parse(read('package.json'));
  const versions = [
    ['.node-version', read('.node-version').trim()],
    ...Object.entries(optionalDependencies).map(([name, version]) => [`package.json: ${name}`, version]),
    ...[...read('deploy/Dockerfile').matchAll(/^FROM node:([0-9.]+)/gm)].map(([, version]) => ['Dockerfile', version]),
  ];
  for (const [place, version] of versions)
    if (version !== pinned) problems.push(`${place} has Node ${version}, but pnpm-workspace.yaml has ${pinned}.`);
}

/** Checks that the npm scripts that the workflows run exist. */
function checkScripts() {
  const { scripts } = JSON.parse(read('package.json'));
  for (const file of globSync('.github/**/*.{yml,md}', { cwd: ROOT }))
    for (const [, name] of read(file).matchAll(/npm (?:run )?(start|test|(?<=run )[a-z]+(?::[a-z]+)*)\b/g))
      if (!(name in scripts)) problems.push(`${file}: npm run ${name} does not exist.`);
  for (const file of globSync('.github/ISSUE_TEMPLATE/*.yml', { cwd: ROOT }).filter((f) => !f.endsWith('config.yml'))) {
    const { name, description, body = [] } = parse(read(file));
    const ids = body.filter(({ type }) => type !== 'markdown').map(({ id }) => id);
    if (!name || !description || ids.length === 0) problems.push(`${file}: name, description or fields are missing.`);
    if (new Set(ids).size < ids.length) problems.push(`${file}: two fields have the same id.`);
  }
}

/** Checks that each process has a debugger configuration, and that the programs exist. */
function checkDebugger() {
  const { configurations, compounds } = JSON.parse(read('.vscode/launch.json'));
  const programs = configurations.map(({ program = '' }) => program.replace(/^\$\{workspaceFolder\}\//, ''));
  for (const name of ['api', 'extract-worker', 'load-worker', 'scheduler'])
    if (!programs.includes(`apps/${name}/src/main.ts`)) problems.push(`.vscode/launch.json lacks the process ${name}.`);
  for (const program of programs.filter((path) => path !== ''))
    if (!existsSync(join(ROOT, program))) problems.push(`.vscode/launch.json: ${program} does not exist.`);
  const names = configurations.map(({ name }) => name);
  for (const name of compounds.flatMap((compound) => compound.configurations))
    if (!names.includes(name)) problems.push(`.vscode/launch.json: the configuration ${name} does not exist.`);
  const { postCreateCommand } = JSON.parse(read('.devcontainer/devcontainer.json'));
  if (!existsSync(join(ROOT, postCreateCommand))) problems.push(`.devcontainer: ${postCreateCommand} does not exist.`);
}

/** Checks that each pattern of CODEOWNERS matches a file. */
function checkOwners() {
  for (const line of read('.github/CODEOWNERS').split('\n')) {
    const [pattern] = line.split(/\s+/);
    if (!pattern.startsWith('/')) continue;
    if (!existsSync(join(ROOT, pattern))) problems.push(`CODEOWNERS: ${pattern} does not exist.`);
  }
}
