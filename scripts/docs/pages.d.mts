/** A page of the documentation site. */
export interface Page {
  /** The address below `/help/`. The address of a folder ends with a slash. */
  readonly path: string;
  /** The Markdown file, relative to the root of the repository. */
  readonly source: string;
}

/** A section of the navigation. */
export interface Section {
  readonly text: string;
  readonly pages: readonly Page[];
}

/** Lists the sections of the documentation site. */
export function listSections(root: string): readonly Section[];
