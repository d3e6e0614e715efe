#!/usr/bin/env node
/**
 * Whether clients of the last release still work: compares the API's document with that release's, `docs/openapi-released.json`, by oasdiff, which is run
 * from Go's module proxy. First it is shown a document that would break them, so that an answer of "nothing" means something.
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

function breaks(before, after) {
  // Outside of the repository: it is no Go module.
  const { status, stdout, stderr } = spawnSync(
    'go',
    ['run', OASDIFF, 'breaking', '--fail-on', 'ERR', '--severity-levels', join(folder, 'levels'), before, after],
    { encoding: 'utf8', cwd: folder },
  );
  if (status !== 0 && !/error\t\[/.test(stdout)) throw new Error(`oasdiff did not run:\n${stderr}`);
  return status === 0 ? null : stdout;
}

// The values of an answer may grow, which the guide says: what is new is told by a new value, and not by a new field.
writeFileSync(join(folder, 'levels'), 'response-property-enum-value-added info\n');

const broken = JSON.parse(readFileSync(released, 'utf8'));
const { Run } = broken.components.schemas;
delete Run.properties.status;
Run.required = Run.required.filter((name) => name !== 'status');
writeFileSync(join(folder, 'broken.json'), JSON.stringify(broken));
if (breaks(released, join(folder, 'broken.json')) === null) {
  console.error('A field that is gone was not noticed: the comparison does not work.');
  process.exit(1);
}
const said = breaks(released, join(DOCS, 'openapi.json'));
if (said !== null) {
  console.error(
    `${said}\nClients of the last release would break. Within /v1 the API only adds; what is to go is announced first (docs/api-guide.md).`,
  );
  process.exit(1);
}
console.log('Clients of the last release still work.');
