/**
 * The size of the chunks that COPY sends. Larger chunks need more memory without being faster.
 * Smaller chunks need more system calls.
 */
export const CHUNK_BYTES = 64 * 1024;

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes a value for COPY's text format. */
export function escapeCopyText(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c] as string) : text;
}
