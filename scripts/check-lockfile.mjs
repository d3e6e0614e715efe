/**
 * pnpm leaves an optional platform package that it cannot resolve out of the lockfile without a word, and users of that
 * platform then get "no binary". So every package named in the optional dependencies of an installed one must be locked.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lockfile = readFileSync('pnpm-lock.yaml', 'utf8');
const store = 'node_modules/.pnpm';
const missing = new Set();
for (const entry of readdirSync(store)) {
  const folder = join(store, entry, 'node_modules');
  let names = [];
  try {
    names = readdirSync(folder).flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((n) => `${name}/${n}`) : [name],
    );
  } catch {
    continue; // Not a package's folder.
  }
  for (const name of names) {
    let manifest;
    try {
      manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));
    } catch {
      continue; // A folder without a manifest, such as .bin.
    }
    for (const [dependency, range] of Object.entries(manifest.optionalDependencies ?? {})) {
      const wanted = /^\d+\.\d+\.\d+$/.test(range) ? `${dependency}@${range}` : `${dependency}@`;
      if (!lockfile.includes(wanted)) missing.add(`${dependency}@${range}, of ${manifest.name}@${manifest.version}`);
    }
  }
}
if (missing.size > 0) {
  console.error(`Not in pnpm-lock.yaml:\n  ${[...missing].sort().join('\n  ')}`);
  process.exit(1);
}
console.log('Every optional dependency is locked.');
