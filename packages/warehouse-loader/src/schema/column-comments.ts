/** The start of the path in a comment. */
const PATH_START = '{"path":[';

/**
 * Builds the comment of a column: the description, and the path of the field as JSON. Later loads
 * use the path to recognize the column of the field, even if the name of the column does not follow
 * from the field.
 */
export function buildColumnComment(path: readonly string[], description: string): string {
  return `${description} ${JSON.stringify({ path })}`.trimStart();
}

/**
 * Parses the path of the field from the comment of a column; null: the comment contains no path.
 */
export function parseColumnComment(comment: string | null): readonly string[] | null {
  // JSON escapes the quotes within a path, so the last occurrence of the marker starts the path.
  const at = comment?.lastIndexOf(PATH_START) ?? -1;
  if (comment === null || at < 0) return null;
  try {
    const { path } = JSON.parse(comment.slice(at)) as { path: unknown };
    return Array.isArray(path) && path.length > 0 && path.every((part) => typeof part === 'string') ? path : null;
  } catch (error) {
    // A user wrote the comment.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Returns the description in the comment of a column, without the path; null: none. */
export function toColumnDescription(comment: string | null): string | null {
  if (comment === null) return null;
  const description =
    parseColumnComment(comment) === null ? comment : comment.slice(0, comment.lastIndexOf(PATH_START));
  return description.trim() || null;
}
