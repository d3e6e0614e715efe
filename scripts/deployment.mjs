/** A whole deployment in a folder of its own, with a simulated account: what tests of the API from outside run against. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns where it answers, a token of the role `team_admin`, its warehouse, where its logs are, and how to end it. */
export async function startDeployment(root) {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-deployment-'));
  const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), 'start'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FRESHET_DATA_DIR: folder, FRESHET_REQUESTS_PER_MINUTE: '1000000', PORT: '0' },
  });
  let said = '';
  const gone = new Promise((done) => child.once('exit', done));
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const found = /The API answers at (\S+?)\.?\s/.exec(said);
      if (found) resolve(found[1]);
    });
    void gone.then(() => reject(new Error(`The deployment did not start:\n${said}`)));
  });
  // The embedded PostgreSQL's own files: its folder is elsewhere where the server's user could not reach it.
  const home = /with its data in (\S+)\.\n/.exec(said)[1];
  const [password, port] = ['superuser-password', 'port'].map((file) => readFileSync(join(home, file), 'utf8').trim());
  const { token } = JSON.parse(readFileSync(join(folder, 'standalone.json'), 'utf8'));
  return {
    url,
    token,
    warehouseUrl: `postgres://freshet:${password}@127.0.0.1:${port}/warehouse`,
    logs: join(folder, 'logs'),
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
      for (const used of [folder, home]) rmSync(used, { recursive: true, force: true });
    },
  };
}
