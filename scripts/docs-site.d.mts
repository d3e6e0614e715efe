/**
 * Returns the folder of the documentation site that belongs to the present files. The folder may
 * not exist.
 * @param root the folder of the repository. Absent: the repository of the script.
 */
export function findSite(root?: string): string;
