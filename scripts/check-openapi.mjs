#!/usr/bin/env node
/**
 * Checks with oasdiff that the OpenAPI document has no breaking change since the last release
 * (`docs/openapi-released.json`). Requires Go, which runs oasdiff from the module proxy. A
 * self-test with a breaking document runs first, to verify that oasdiff reports breaking changes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OASDIFF = 'github.com/oasdiff/oasdiff@v1.36.0';
const DOCS = join(dirname(fileURLToPath(import.meta.url)), '../docs');
const released = join(DOCS, 'openapi-released.json');
const folder = mkdtempSync(join(tmpdir(), 'freshet-openapi-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Returns the report of breaking changes, or null if there are none. */
function findBreakingChanges(before, after) {
  // Run outside of the repository, because Go would search the repository for a module.
  const { status, stdout, stderr, error } = spawnSync(
    'go',
    ['run', OASDIFF, 'breaking', '--fail-on', 'ERR', '--severity-levels', join(folder, 'levels'), before, after],
    { encoding: 'utf8', cwd: folder },
  );
  if (error) {
    console.error(`go cannot be started (${error.code}). Install Go, and add the command go to PATH.`);
    process.exit(1);
  }
  if (status !== 0 && !/error\t\[/.test(stdout)) throw new Error(`oasdiff failed:\n${stderr}`);
  return status === 0 ? null : stdout;
}

// New enum values in responses are not a breaking change (docs/api-guide.md).
writeFileSync(join(folder, 'levels'), 'response-property-enum-value-added info\n');

const broken = JSON.parse(readFileSync(released, 'utf8'));
const { Run } = broken.components.schemas;
delete Run.properties.status;
Run.required = Run.required.filter((name) => name !== 'status');
writeFileSync(join(folder, 'broken.json'), JSON.stringify(broken));
if (findBreakingChanges(released, join(folder, 'broken.json')) === null) {
  console.error('Self-test failed: oasdiff did not report a removed field.');
  process.exit(1);
}
const report = findBreakingChanges(released, join(DOCS, 'openapi.json'));
if (report !== null) {
  console.error(
    `${report}\nThe changes break clients of the last release. Changes within /v1 must be additive (docs/api-guide.md).`,
  );
  process.exit(1);
}
console.log('No breaking change since the last release.');
