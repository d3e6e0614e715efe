export interface Change {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

const ABSENT = '—';

/** Lists the fields that differ between two versions of a resource. */
export function listChanges(
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>> | null,
): Change[] {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const format = (version: Readonly<Record<string, unknown>> | null, field: string) =>
    version === null || !(field in version) ? ABSENT : JSON.stringify(version[field]);
  return fields
    .map((field) => ({ field, before: format(before, field), after: format(after, field) }))
    .filter((change) => change.before !== change.after);
}
