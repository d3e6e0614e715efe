/** Python programs that tests run, from PyPI, in an environment of their own that is kept as long as its requirements stay as they are. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the folder of the environment's programs. */
export function pythonEnvironment(root, name, requirements) {
  const folder = join(root, 'node_modules/.python', name);
  const stamp = join(folder, '.installed');
  const state = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
    rmSync(folder, { recursive: true, force: true });
    must('python3', ['-m', 'venv', folder]);
    must(join(folder, 'bin/pip'), [
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

/** Runs a program to its end. Ends this process when it fails. */
export function must(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  if (status === 0) return;
  console.error(error?.message ?? `${program} ended with status ${status}.`);
  process.exit(1);
}
