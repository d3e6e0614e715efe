/**
 * Returns the folder that contains the built console. If the processes run from their sources,
 * builds the console first. `scripts/bundle.mjs` replaces this module: the bundle contains the
 * built files.
 */
export async function findConsole(): Promise<string> {
  const { buildConsole } = await import('./build.ts');
  return buildConsole();
}
