import { inspectEmbeddedPostgres } from '@freshet/runtime/postgres-inspection';

/** The embedded control database of `freshet standalone`. */
const CONTROL_DATABASE = 'freshet';

/**
 * Finds the databases of a data folder without starting a server.
 * @throws Error if the embedded PostgreSQL is not installed or does not run on this machine.
 */
export async function findEmbeddedDatabases(dataDir: string) {
  const { url, ...state } = await inspectEmbeddedPostgres({ resolveFrom: import.meta.url, dataDir });
  return { ...state, isRunning: url !== null, controlUrl: url === null ? null : toControlUrl(url) };
}

/** @param serverUrl the URL of a database of the same server. */
export function toControlUrl(serverUrl: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${CONTROL_DATABASE}`;
  return url.href;
}
