/**
 * Checks the links and the content of a built documentation site. Throws an error that lists all
 * problems.
 */
export function checkSite(folder: string): { readonly scriptHashes: readonly string[] };
