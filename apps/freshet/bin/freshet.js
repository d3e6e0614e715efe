#!/usr/bin/env node
/**
 * The program `freshet` of the npm package. It checks the version of Node before it loads Freshet,
 * because an old Node cannot parse the other files. This file is parsed by Node 14 and newer.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** EX_CONFIG of sysexits.h. */
const EX_CONFIG = 78;
const BUNDLE = new URL('../bundle/', import.meta.url);

const { version, engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const required = Number.parseInt(engines.node.replace('>=', ''), 10);

if (Number.parseInt(process.versions.node, 10) < required) {
  console.error(`Freshet ${version} requires Node.js ${required} or newer. This is Node.js ${process.versions.node}.
Install a newer release from https://nodejs.org/en/download, or with a version manager:
  nvm install --lts`);
  process.exitCode = EX_CONFIG;
} else {
  chooseCompileCache();
  void import(new URL('apps/freshet/src/main.js', BUNDLE).href);
}

/**
 * Stores compiled code in the cache folder of the user if the installation is read-only. Otherwise,
 * the code is stored in the installation, and an upgrade deletes it.
 */
function chooseCompileCache() {
  if (process.env.NODE_COMPILE_CACHE) return;
  try {
    accessSync(fileURLToPath(BUNDLE), constants.W_OK);
  } catch {
    const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
    process.env.NODE_COMPILE_CACHE = join(base, 'freshet', version);
  }
}
