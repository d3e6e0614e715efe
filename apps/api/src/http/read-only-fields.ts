import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@freshet/contracts';
import type { TSchema } from 'typebox';
import { escapePointerSegment, type FieldProblem } from './field-problems.ts';
import { IGNORED_IN_UPDATES, resolveSchema } from './schemas.ts';

/** The differences between the body of an update and the resource. */
export interface Comparison {
  /** Writable fields whose values differ from the resource. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** Read-only fields whose values differ from the resource. */
  readonly problems: readonly FieldProblem[];
}

interface Shape {
  readonly readOnly?: boolean;
  readonly [IGNORED_IN_UPDATES]?: boolean;
  readonly format?: string;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, object>>;
}

/** The body of an update, and the current state of the resource. */
interface ComparisonInput {
  /** The schema of the update. Read-only fields are marked with `readOnly`. */
  readonly schema: TSchema;
  /** The current representation of the resource. */
  readonly current: object;
  readonly body: object;
  /** The creation time of the resource. No read-only time has ever been earlier than this time. */
  readonly createdAt: Date;
}

/**
 * Compares the body of a `PATCH` with the current representation, so that a client can get a
 * resource, change one field and send the result back. A field that contains its current value does
 * not count as a change, whether it is read-only or not. For read-only times that Freshet advances
 * (`next_run_at`, `last_used_at`), earlier values do not count as changes either. Fields that are
 * marked with `ignoredInUpdates` are not compared.
 * @param pointer JSON pointer to the compared JSON object.
 */
export function compareWithCurrent({ schema, current, body, createdAt }: ComparisonInput, pointer = ''): Comparison {
  const properties = (resolveSchema(schema) as Shape).properties ?? {};
  const changes: Record<string, unknown> = {};
  const problems: FieldProblem[] = [];
  // Iterate in the order of the schema, so that problems have a stable order.
  for (const [name, property] of Object.entries(properties)) {
    if (!Object.hasOwn(body, name)) continue;
    const value: unknown = (body as Readonly<Record<string, unknown>>)[name];
    const currentValue: unknown = (current as Readonly<Record<string, unknown>>)[name];
    const at = `${pointer}/${escapePointerSegment(name)}`;
    const shape: Shape = { ...resolveSchema(property), ...property };
    if (shape[IGNORED_IN_UPDATES] === true) continue;
    if (hasReadOnlyFields(shape) && isObject(value) && isObject(currentValue)) {
      const nested = { schema: shape as TSchema, current: currentValue, body: value, createdAt };
      const inner = compareWithCurrent(nested, at);
      problems.push(...inner.problems);
      if (Object.keys(inner.changes).length > 0) changes[name] = inner.changes;
    } else if (isEqual(value, currentValue, shape)) continue;
    else if (shape.readOnly === true && isEarlierTime(value, currentValue, shape, createdAt)) continue;
    else if (shape.readOnly === true) problems.push({ pointer: at, detail: describeMismatch(at, currentValue) });
    else changes[name] = value;
  }
  return { changes, problems };
}

/**
 * Requires that the resource has the version in `If-Match`.
 * @param expected null: any version.
 * @throws AppError `precondition_failed` if the resource has a different version.
 */
export function requireVersion({ version }: { readonly version: number }, expected: number | null): void {
  if (expected === null || expected === version) return;
  throw new AppError(
    'precondition_failed',
    'If-Match: the resource has changed and now has a different version. Get it again, and repeat the request with the current ETag.',
  );
}

function describeMismatch(pointer: string, currentValue: unknown): string {
  const field = pointer.slice(1).replaceAll('/', '.');
  return `${field} is read-only. Omit the field, or send its current value: ${JSON.stringify(currentValue)}.`;
}

/** Whether the schema describes a JSON object with read-only fields. */
function hasReadOnlyFields({ properties }: Shape): boolean {
  return Object.values(properties ?? {}).some((property) => (property as Shape).readOnly === true);
}

/**
 * Whether two values are equal. Times and ids may differ in notation, and JSON objects may differ
 * in the order of their keys.
 */
function isEqual(value: unknown, currentValue: unknown, shape: Shape): boolean {
  if (isDeepStrictEqual(value, currentValue)) return true;
  if (typeof value !== 'string' || typeof currentValue !== 'string') return false;
  if (hasFormat(shape, 'date-time')) return Date.parse(value.toUpperCase()) === Date.parse(currentValue);
  return hasFormat(shape, 'uuid') && value.toLowerCase() === currentValue.toLowerCase();
}

/** Whether a time lies between the creation of the resource and the current value of the field. */
function isEarlierTime(value: unknown, currentValue: unknown, shape: Shape, createdAt: Date): boolean {
  if (typeof value !== 'string' || typeof currentValue !== 'string' || !hasFormat(shape, 'date-time')) return false;
  const at = Date.parse(value.toUpperCase());
  return at >= createdAt.getTime() && at < Date.parse(currentValue);
}

function hasFormat(shape: Shape, format: string): boolean {
  return [shape, ...(shape.anyOf ?? [])].some((s) => s.format === format);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
