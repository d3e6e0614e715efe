/**
 * Checks that the lockfile contains every optional dependency of the installed packages. pnpm
 * silently omits an optional platform package that it cannot resolve, and installations on that
 * platform then lack the binary.
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
    continue; // Not a package folder.
  }
  for (const name of names) {
    let manifest;
    try {
      manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));
    } catch {
      continue; // A folder without a manifest, such as .bin.
    }
    for (const [dependency, range] of Object.entries(manifest.optionalDependencies ?? {})) {
      const entryPrefix = /^\d+\.\d+\.\d+$/.test(range) ? `${dependency}@${range}` : `${dependency}@`;
      if (!lockfile.includes(entryPrefix))
        missing.add(`${dependency}@${range}, required by ${manifest.name}@${manifest.version}`);
    }
  }
}
if (missing.size > 0) {
  console.error(`Missing from pnpm-lock.yaml:\n  ${[...missing].sort().join('\n  ')}`);
  process.exit(1);
}
console.log('pnpm-lock.yaml contains every optional dependency.');
