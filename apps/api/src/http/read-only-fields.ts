import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@freshet/contracts';
import type { TSchema } from 'typebox';
import { type FieldProblem, pointerSegment } from './field-problems.ts';
import { findNamed } from './schemas.ts';

/** A request to change a resource, compared with the resource as it is. */
export interface Comparison {
  /** The fields that can be changed and differ from the resource. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** The read-only fields that differ from the resource. */
  readonly problems: readonly FieldProblem[];
}

interface Shape {
  readonly readOnly?: boolean;
  readonly format?: string;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, object>>;
}

/**
 * Compares the body of a `PATCH` with the current representation, so that a client can send back what it read with one field
 * changed. Equal fields are no change, whether they are read-only or not. Neither is an earlier value of a read-only time, which
 * Freshet has moved since the client read it (`next_run_at`, `last_used_at`).
 * @param schema the shape of the change, in which read-only fields are marked with `readOnly`.
 * @param createdAt since when read-only times can have had earlier values.
 */
export function compareWithCurrent(
  schema: TSchema,
  current: object,
  body: object,
  createdAt: Date,
  pointer = '',
): Comparison {
  const properties = (findNamed(schema) as Shape).properties ?? {};
  const changes: Record<string, unknown> = {};
  const problems: FieldProblem[] = [];
  // In the order of the schema, whatever the order of the body.
  for (const [name, property] of Object.entries(properties)) {
    if (!Object.hasOwn(body, name)) continue;
    const value: unknown = (body as Readonly<Record<string, unknown>>)[name];
    const at = `${pointer}/${pointerSegment(name)}`;
    const known: unknown = (current as Readonly<Record<string, unknown>>)[name];
    const shape: Shape = { ...findNamed(property), ...property };
    if (hasReadOnly(shape) && isObject(value) && isObject(known)) {
      const inner = compareWithCurrent(shape as TSchema, known, value, createdAt, at);
      problems.push(...inner.problems);
      if (Object.keys(inner.changes).length > 0) changes[name] = inner.changes;
    } else if (isEqual(value, known, shape)) continue;
    else if (shape.readOnly === true && isEarlier(value, known, shape, createdAt)) continue;
    else if (shape.readOnly === true) problems.push({ pointer: at, detail: refusal(at, known) });
    else changes[name] = value;
  }
  return { changes, problems };
}

/**
 * Requires the version that `If-Match` names.
 * @param expected null: any version.
 * @throws AppError `precondition_failed` if the resource has another version.
 */
export function requireVersion({ version }: { readonly version: number }, expected: number | null): void {
  if (expected === null || expected === version) return;
  throw new AppError(
    'precondition_failed',
    'The resource has changed since the version that If-Match names. Get it again, and repeat the change.',
  );
}

function refusal(pointer: string, known: unknown): string {
  const field = pointer.slice(1).replaceAll('/', '.');
  return `${field} is read-only and is ${JSON.stringify(known)}. Send this value, or leave the field out.`;
}

/** A nested object that has read-only fields. */
function hasReadOnly({ properties }: Shape): boolean {
  return Object.values(properties ?? {}).some((property) => (property as Shape).readOnly === true);
}

/** Whether two values mean the same: times and ids may be spelled differently, and the order of keys does not matter. */
function isEqual(value: unknown, known: unknown, shape: Shape): boolean {
  if (isDeepStrictEqual(value, known)) return true;
  if (typeof value !== 'string' || typeof known !== 'string') return false;
  if (hasFormat(shape, 'date-time')) return Date.parse(value.toUpperCase()) === Date.parse(known);
  return hasFormat(shape, 'uuid') && value.toLowerCase() === known.toLowerCase();
}

/** Whether a time is one that the field can have had before, since the resource was created. */
function isEarlier(value: unknown, known: unknown, shape: Shape, createdAt: Date): boolean {
  if (typeof value !== 'string' || typeof known !== 'string' || !hasFormat(shape, 'date-time')) return false;
  const at = Date.parse(value.toUpperCase());
  return at >= createdAt.getTime() && at < Date.parse(known);
}

function hasFormat(shape: Shape, format: string): boolean {
  return [shape, ...(shape.anyOf ?? [])].some((s) => s.format === format);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
