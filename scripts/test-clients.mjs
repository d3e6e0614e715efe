#!/usr/bin/env node
/**
 * `npm run test:clients`: generates clients in several languages from the OpenAPI document, and
 * runs them against a complete deployment (clients/README.md). Tests the Terraform provider with
 * the same deployment. Requires Python 3 with venv, Go, Java 17 or newer with Maven, Terraform or
 * OpenTofu 1.11 or newer, and access to the package registries of PyPI, Go, Maven and npm.
 *
 * Usage: node scripts/test-clients.mjs [python|go|java|typescript|terraform …]   (default: all)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDeployment } from './deployment.mjs';
import { buildTerraformProvider, createPythonEnvironment, runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DOCUMENT = join(ROOT, 'docs/openapi.json');
const OAPI_CODEGEN = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2';
const HEY_API = '@hey-api/openapi-ts@0.99.0';
const GENERATOR_TYPESCRIPT = 'typescript@5.9.3';

const missing = ['python3', 'go', 'java', 'mvn'].filter(
  (program) => spawnSync(program, [program === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).error,
);
if (['terraform', 'tofu'].every((program) => spawnSync(program, ['version'], { stdio: 'ignore' }).error))
  missing.push('terraform or tofu');
if (missing.length > 0) {
  console.error(`${missing.join(' and ')} must be installed and on the PATH.`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'freshet-clients-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const prepare = {
  python: preparePython,
  go: prepareGo,
  java: prepareJava,
  typescript: prepareTypescript,
  terraform: prepareTerraform,
};
const selected = process.argv.length === 2 ? Object.keys(prepare) : process.argv.slice(2);
const programs = selected.map((name) => prepare[name]());

const deployment = await startDeployment(ROOT);
const env = {
  ...process.env,
  FRESHET_URL: deployment.url,
  FRESHET_TOKEN: deployment.token,
  WAREHOUSE_URL: deployment.warehouseUrl,
};
const failed = programs.filter(
  ({ program, args, cwd }) => spawnSync(program, args, { cwd, env, stdio: 'inherit' }).status !== 0,
);
await deployment.stop();
if (failed.length > 0) console.error(`Failed: ${failed.map(({ name }) => name).join(', ')}.`);
process.exit(failed.length > 0 ? 1 : 0);

function preparePython() {
  const bin = createPythonEnvironment(ROOT, 'clients', join(ROOT, 'clients/python/requirements.txt'));
  const cwd = join(folder, 'python');
  cpSync(join(ROOT, 'clients/python'), cwd, { recursive: true });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  runOrExit(
    join(bin, 'openapi-python-client'),
    ['generate', '--path', DOCUMENT, '--output-path', join(cwd, 'freshet_client'), '--meta', 'none'],
    { env },
  );
  return { name: 'Python', program: join(bin, 'python'), args: ['use_client.py'], cwd };
}

function prepareGo() {
  const cwd = join(folder, 'go');
  cpSync(join(ROOT, 'clients/go'), cwd, { recursive: true });
  const code = execFileSync('go', ['run', OAPI_CODEGEN, '-generate', 'types,client', '-package', 'freshet', DOCUMENT], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    cwd: folder,
  });
  mkdirSync(join(cwd, 'freshet'));
  writeFileSync(join(cwd, 'freshet/client.gen.go'), code);
  runOrExit('go', ['build', '-o', 'use-client', '.'], { cwd });
  return { name: 'Go', program: join(cwd, 'use-client'), args: [], cwd };
}

function prepareJava() {
  const cwd = join(folder, 'java');
  cpSync(join(ROOT, 'clients/java'), cwd, { recursive: true });
  const maven = ['-q', '-B', `-Ddocument=${DOCUMENT}`];
  runOrExit('mvn', [...maven, 'compile'], { cwd });
  return { name: 'Java', program: 'mvn', args: [...maven, 'exec:java'], cwd };
}

function prepareTypescript() {
  const cwd = join(folder, 'typescript');
  cpSync(join(ROOT, 'clients/typescript'), cwd, { recursive: true });
  // The generator requires TypeScript 5. The workspace's TypeScript checks the generated code,
  // which is then bundled like an application.
  runOrExit(
    'npx',
    [
      '--yes',
      '--package',
      GENERATOR_TYPESCRIPT,
      '--package',
      HEY_API,
      'openapi-ts',
      '-i',
      DOCUMENT,
      '-o',
      'generated',
      '-c',
      '@hey-api/client-fetch',
    ],
    { cwd },
  );
  const strict = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'esnext',
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
  ];
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  runOrExit(join(ROOT, 'node_modules/.bin/tsc'), [...strict, ...types, 'use-client.ts'], { cwd });
  runOrExit(
    join(ROOT, 'node_modules/.bin/vite'),
    ['build', '--ssr', 'use-client.ts', '--outDir', 'dist', '--logLevel', 'warn'],
    { cwd },
  );
  return { name: 'TypeScript', program: process.execPath, args: ['dist/use-client.mjs'], cwd };
}

function prepareTerraform() {
  const cwd = join(ROOT, 'integrations/terraform');
  const unformatted = execFileSync('gofmt', ['-l', '.'], { cwd, encoding: 'utf8' });
  if (unformatted !== '') {
    console.error(`Format these files with gofmt -w:\n${unformatted}`);
    process.exit(1);
  }
  // The same flags as in the build, so that Go compiles the dependencies once.
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  runOrExit('go', ['test', '-trimpath', '-vet=all', './...'], { cwd, env });
  const provider = join(folder, 'terraform-provider-freshet');
  buildTerraformProvider(ROOT, provider, { version: 'test' });
  return { name: 'Terraform', program: process.execPath, args: ['use-terraform.mjs', provider], cwd };
}
