/**
 * Reproducible archives: files are sorted, have the time of the commit and the mode 644 or 755, and
 * have no owner.
 */
import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { create } from 'tar';

/**
 * Writes a folder as a compressed archive. Changes the modes of the files in the folder.
 * @param {string} folder
 * @param {string} file the archive.
 * @param {{ prefix: string, time: Date }} options the folder in the archive that contains all
 *   files, and the modification time of all files.
 */
export async function writeArchive(folder, file, { prefix, time }) {
  const paths = listFiles(folder);
  // The access rights must not depend on the umask of the machine.
  for (const path of paths) chmodSync(join(folder, path), lstatSync(join(folder, path)).mode & 0o100 ? 0o755 : 0o644);
  await create(
    { cwd: folder, file, gzip: { level: 9 }, portable: true, mtime: time, prefix, noDirRecurse: true },
    paths,
  );
}

/** @returns the paths of all files in the folder, with slashes, sorted by their bytes. */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();
}
