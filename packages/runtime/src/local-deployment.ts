import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The address of a deployment that runs on this machine, and its first token. */
export interface LocalDeployment {
  readonly url: string;
  readonly token: string;
}

const getFile = (dataDir: string) => join(dataDir, 'running.json');

/**
 * Stores the address of a running deployment in its data folder, so that commands find the
 * deployment without settings. Only the owner can read the file.
 */
export function saveLocalDeployment(dataDir: string, deployment: LocalDeployment): void {
  const file = getFile(dataDir);
  writeFileSync(`${file}.new`, JSON.stringify(deployment), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Deletes the stored address, because the deployment stops. */
export function removeLocalDeployment(dataDir: string): void {
  rmSync(getFile(dataDir), { force: true });
}

/** Reads the stored address. Null: no deployment runs on the data folder. */
export function readLocalDeployment(dataDir: string): LocalDeployment | null {
  try {
    return JSON.parse(readFileSync(getFile(dataDir), 'utf8')) as LocalDeployment;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
