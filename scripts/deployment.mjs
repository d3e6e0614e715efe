/**
 * Starts a complete deployment with a simulated account in a temporary folder, for tests that use
 * the API like external clients.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @param {string} root the folder of the repository.
 * @param {Record<string, string>} [settings] environment variables of the deployment. By default,
 *   the API listens on a free port. If the API exits, it is restarted on a different free port,
 *   unless `PORT` is set.
 * @returns the URL of the API, a token with the role `team_admin`, the URL of the warehouse, the
 * log folder, and a function that stops the deployment.
 */
export async function startDeployment(root, settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-deployment-'));
  const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), 'start'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FRESHET_DATA_DIR: folder, FRESHET_REQUESTS_PER_MINUTE: '1000000', PORT: '0', ...settings },
  });
  let output = '';
  const exit = new Promise((done) => child.once('exit', done));
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const match = /^ {2}API +(\S+)\s/m.exec(output);
      if (match) resolve(match[1]);
    });
    void exit.then(() => reject(new Error(`The deployment did not start:\n${output}`)));
  });
  // The embedded PostgreSQL stores its data in a different folder if the user of the server cannot
  // access the temporary folder.
  const dataFolder = /^ {2}PostgreSQL +(\S+)\n/m.exec(output)[1];
  const [password, port] = ['superuser-password', 'port'].map((file) =>
    readFileSync(join(dataFolder, file), 'utf8').trim(),
  );
  const { token } = JSON.parse(readFileSync(join(folder, 'standalone.json'), 'utf8'));
  return {
    url,
    token,
    warehouseUrl: `postgres://freshet:${password}@127.0.0.1:${port}/warehouse`,
    logs: join(folder, 'logs'),
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
      for (const path of [folder, dataFolder]) rmSync(path, { recursive: true, force: true });
    },
  };
}
