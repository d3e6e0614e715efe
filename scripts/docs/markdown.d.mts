/** A heading of a Markdown file and the lines until the next heading. */
export interface Block {
  /** 0: the lines before the first heading. */
  readonly level: number;
  readonly heading: string;
  /** The fragment of the heading. */
  readonly fragment: string;
  readonly lines: readonly string[];
}

/** Splits a Markdown file at its headings. */
export function parseBlocks(markdown: string): Block[];
