import type { Section } from './pages.mjs';

/**
 * Writes the Markdown files of the documentation site into a folder.
 * @returns the sections, with one page for each object.
 */
export function writePages(root: string, sections: readonly Section[], folder: string): readonly Section[];
