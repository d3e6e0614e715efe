import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitFor } from './wait-for.ts';

/**
 * Starts a temporary server in the folder of the first argument, and prints the folder of its data.
 */
const START_SERVER = `
const { startEmbeddedPostgres } = await import('@freshet/runtime/embedded-postgres');
const server = await startEmbeddedPostgres({
  resolveFrom: ${JSON.stringify(import.meta.url)}, dataDir: process.argv[1], isTemporary: true,
});
console.log(server.dataDir);
setInterval(() => {}, 1000);`;

test('the data of a temporary server is deleted even if kill -9 stops the process that started the server', async () => {
  const requestedDir = mkdtempSync(join(tmpdir(), 'freshet-temporary-'));
  const args = ['--input-type=module', '--eval', START_SERVER, requestedDir];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await once(child.stdout.setEncoding('utf8'), 'data');
  const dataDir = String(output).trim();
  expect(existsSync(dataDir)).toBe(true);
  child.kill('SIGKILL');
  await waitFor(() => !existsSync(dataDir) && !existsSync(requestedDir), 'the data is deleted');
});
