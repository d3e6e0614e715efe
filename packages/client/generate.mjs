#!/usr/bin/env node
/**
 * Generates the API's types, `src/api.ts`, from `docs/openapi.json`. Usage: `node generate.mjs
 * [target]`.
 *
 * Examples are removed first, because only the reference page needs them and they would double the
 * size of the file. The generator requires TypeScript 5, because later versions lack its JavaScript
 * API. npx runs the generator, because a dependency on the generator would install a second
 * compiler in every workspace.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GENERATOR = ['--package', 'openapi-typescript@7.13.0', '--package', 'typescript@5.9.3'];
const OPTIONS = ['--alphabetize', '--empty-objects-unknown', '--default-non-nullable', 'false'];

const target = process.argv[2] ?? fileURLToPath(new URL('src/api.ts', import.meta.url));
const document = JSON.parse(
  readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
  function (name, value) {
    return name === 'example' && 'schema' in this ? undefined : value;
  },
);
const folder = mkdtempSync(join(tmpdir(), 'freshet-client-'));
try {
  const source = join(folder, 'openapi.json');
  writeFileSync(source, JSON.stringify(document));
  const { status, stderr, error } = spawnSync(
    'npx',
    ['--yes', ...GENERATOR, 'openapi-typescript', source, '--output', target, ...OPTIONS],
    // Outside the workspace, so that npx does not resolve the workspace's TypeScript.
    { cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) {
    console.error(`${target}: openapi-typescript failed: ${error?.message ?? stderr}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
