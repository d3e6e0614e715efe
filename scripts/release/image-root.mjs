/**
 * Emulates a container of the image on a machine without a container engine: a root file system
 * that contains only the files of the image's last stage, and processes that run in it as the user
 * 65532, without capabilities, and without write access to any file. Requires Linux, root (or
 * `sudo` without a password), `unshare` and `setpriv`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const USER = '65532:65532';
const MAIN = '/freshet/apps/freshet/src/main.js';
const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler', 'migrate'];
const EX_CONFIG = 78;
/** `$1` is the root file system, `$2` is `ro` or `rw`. The remaining arguments are the command. */
const ENTER = `
mount --make-rprivate / && mount --bind "$1" "$1"
mount -t proc proc "$1/proc" && mount --bind /dev/null "$1/dev/null"
mount -o remount,bind,"$2" "$1"
root=$1; shift 2
exec setpriv --no-new-privs chroot --userspec=${USER} "$root" "$@"`;

/**
 * Creates the root file system and fills the compile cache, like the stages of the Dockerfile.
 * @param {string} root an empty folder.
 * @param {{ node: string, bundle: string }} options the program Node, and the folder `/freshet`.
 */
export function createImageRoot(root, { node, bundle }) {
  for (const folder of ['proc', 'dev', 'usr/local/bin']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'dev/null'), '');
  cpSync(realpathSync(node), join(root, 'usr/local/bin/node'));
  for (const [library] of execFileSync('ldd', [realpathSync(node)], { encoding: 'utf8' }).matchAll(/\/\S+(?= \(0x)/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(root, library));
  }
  cpSync(bundle, join(root, 'freshet'), { recursive: true });
  asRoot('chown', ['-R', USER, join(root, 'freshet')]);
  for (const name of PROCESSES) {
    const status = runInImage(root, [MAIN, name], { access: 'rw' });
    if (status !== EX_CONFIG) throw new Error(`${name} exited with status ${status} before it read its settings.`);
  }
  asRoot('chmod', ['-R', 'a+rX', join(root, 'freshet/.compile-cache')]);
  asRoot('chown', ['-R', '0:0', join(root, 'freshet')]);
}

/** Runs Node in the image and waits. @returns the exit status. */
export function runInImage(root, args, { env = {}, access = 'ro' } = {}) {
  const [program, programArgs] = toCommand(root, args, access);
  try {
    execFileSync(program, programArgs, { env: toEnvironment(env), stdio: 'pipe' });
    return 0;
  } catch (error) {
    if (typeof error.status !== 'number') throw error;
    return error.status;
  }
}

/** Starts a process of the image. @returns the process, whose output is piped. */
export function startInImage(root, name, env) {
  const [program, args] = toCommand(root, [MAIN, name], 'ro');
  return spawn(program, args, { env: toEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Deletes the root file system, whose files belong to root. */
export function removeImageRoot(root) {
  asRoot('rm', ['-rf', root]);
  rmSync(root, { recursive: true, force: true });
}

function toCommand(root, args, access) {
  const command = ['--mount', 'sh', '-ec', ENTER, 'sh', root, access, '/usr/local/bin/node', ...args];
  return isRoot() ? ['unshare', command] : ['sudo', ['--non-interactive', '--preserve-env', 'unshare', ...command]];
}

function toEnvironment(env) {
  const { PATH } = process.env;
  return { PATH, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '8080', FRESHET_MONITOR_PORT: '9464', ...env };
}

function asRoot(program, args) {
  if (isRoot()) execFileSync(program, args);
  else execFileSync('sudo', ['--non-interactive', program, ...args]);
}

const isRoot = () => process.getuid() === 0;
