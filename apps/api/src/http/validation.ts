import AjvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import type { FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { escapePointerSegment, type FieldProblem } from './field-problems.ts';

/**
 * The maximum number of values in a part of a request, such as the body, for which all errors are
 * collected. For a larger part, only the first schema error is reported, to limit the use of
 * memory.
 */
const VALUES_MAX = 10_000;
const REQUEST_PARTS = ['params', 'body', 'querystring', 'headers'] as const;
type Part = (typeof REQUEST_PARTS)[number];
/** The property of Fastify's request object that contains each part of a request. */
const REQUEST_FIELDS = {
  params: 'params',
  body: 'body',
  querystring: 'query',
  headers: 'headers',
} as const satisfies Record<Part, keyof FastifyRequest>;
/** The keyword of the errors from `findStringErrors`, which JSON Schema cannot express. */
const STRING_KEYWORD = 'text';

interface Validate {
  (data: unknown): boolean;
  errors?: FastifySchemaValidationError[] | null;
}

/**
 * Compiles the validators of routes. Parameters are coerced to their types. The values of bodies
 * are not coerced. A validator stops at the first error. A rejected request is then validated a
 * second time to collect all errors. A validator is compiled when the first request needs it.
 */
export const buildValidator: BuildCompilerFromPool = (schemas, options) => {
  const createCompiler = AjvCompiler();
  const { customOptions } = (options ?? {}) as { readonly customOptions?: object };
  const compilers = new Map<string, (route: unknown) => Validate>();
  const compile = (route: unknown, more: { readonly coerceTypes?: false; readonly allErrors?: true }) => {
    const key = JSON.stringify(more);
    // A compiler contains all named schemas, so it is created once. They are constants, and the
    // checks of the OpenAPI document verify them.
    const compiler =
      compilers.get(key) ??
      (createCompiler(schemas, {
        customOptions: { ...customOptions, ...more, validateSchema: false },
      }) as unknown as (route: unknown) => Validate);
    compilers.set(key, compiler);
    return compiler(route);
  };
  return (route) => {
    const part = (route as { httpPart?: string }).httpPart;
    const coercion = part === 'body' ? ({ coerceTypes: false } as const) : {};
    let first: Validate | null = null;
    let all: Validate | null = null;
    const validate: Validate = (data) => {
      first ??= compile(route, coercion);
      const isValid = first(data);
      const textErrors = part === 'headers' ? [] : findStringErrors(data, '');
      if (isValid && textErrors.length === 0) return true;
      const isSmall = hasAtMost(data, VALUES_MAX);
      if (!isValid && isSmall) {
        all ??= compile(route, { ...coercion, allErrors: true });
        all(data);
      }
      const shapeErrors = isValid ? [] : (all?.errors ?? first.errors ?? []);
      validate.errors = [...shapeErrors, ...textErrors];
      return false;
    };
    return validate as never;
  };
};

/**
 * Returns all problems of a request that failed the schema of one of its parts, in a stable order.
 */
export function findShapeProblems(
  request: FastifyRequest,
  failed: string,
  errors: readonly FastifySchemaValidationError[],
): FieldProblem[] {
  const problems = REQUEST_PARTS.slice(Math.max(0, REQUEST_PARTS.indexOf(failed as Part))).flatMap((part) => {
    if (part === failed) return toProblems(errors, part);
    // Fastify stops at the first part that fails, so the later parts are validated here.
    const validate = request.getValidationFunction(part) as Validate | undefined;
    const value = request[REQUEST_FIELDS[part]];
    return validate === undefined || value === undefined || validate(value)
      ? []
      : toProblems(validate.errors ?? [], part);
  });
  return [...new Map(problems.map((problem) => [`${problem.pointer} ${problem.detail}`, problem])).values()];
}

/** Returns a copy of the body without the fields that its schema rejected. */
export function omitInvalid(body: unknown, problems: readonly FieldProblem[]): unknown {
  const copy: unknown = structuredClone(body);
  for (const { pointer } of problems) removeAt(copy, pointer.split('/').slice(1).map(unescapeSegment));
  return copy;
}

function removeAt(from: unknown, path: readonly string[]): void {
  let holder = from;
  for (const [i, name] of path.entries()) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return;
    const inner = (holder as Record<string, unknown>)[name];
    // If an element of an array is invalid, remove the complete array. Removing only the element
    // would change the indexes of the other elements.
    if (i === path.length - 1 || Array.isArray(inner)) {
      delete (holder as Record<string, unknown>)[name];
      return;
    }
    holder = inner;
  }
}

function unescapeSegment(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

/**
 * Converts validation errors to problems. Several errors about one value, such as one error for
 * each branch of a union, become one problem.
 */
function toProblems(errors: readonly FastifySchemaValidationError[], part: Part): FieldProblem[] {
  const isWithin = (path: string, of: string) => path === of || path.startsWith(`${of}/`);
  const isNullBranch = (e: FastifySchemaValidationError) =>
    e.keyword === 'type' && e.params['type'] === 'null' && e.schemaPath.includes('/anyOf/');
  const unions = errors.filter((e) => e.keyword === 'anyOf');
  const unlessRepeated = errors.filter((e, i) => {
    if (e.keyword === 'anyOf')
      return !errors.some(
        (other) => other !== e && !isNullBranch(other) && isWithin(other.instancePath, e.instancePath),
      );
    if (isNullBranch(e)) return false;
    if (e.keyword === 'type')
      return !errors.some((o) => o.instancePath === e.instancePath && (o.keyword === 'enum' || o.keyword === 'const'));
    if (e.keyword === 'discriminator') {
      const tag = String(e.params['tag']);
      return !errors.some(
        (o) => o.keyword === 'required' && o.instancePath === e.instancePath && o.params['missingProperty'] === tag,
      );
    }
    return (
      errors.findIndex(
        (o) =>
          o.instancePath === e.instancePath &&
          o.keyword === e.keyword &&
          o.message === e.message &&
          hasSameParams(o, e),
      ) === i
    );
  });
  return unlessRepeated.map((e) => {
    const isNullable = e.keyword === 'type' && unions.some((u) => u.instancePath === e.instancePath);
    return toProblem(e, part, isNullable);
  });
}

function hasSameParams(a: FastifySchemaValidationError, b: FastifySchemaValidationError): boolean {
  return JSON.stringify(a.params) === JSON.stringify(b.params);
}

function toProblem(e: FastifySchemaValidationError, part: Part, isNullable: boolean): FieldProblem {
  const at = `${part === 'body' ? '' : `/${part}`}${e.instancePath}`;
  const params = e.params as {
    missingProperty?: string;
    additionalProperty?: string;
    allowedValues?: unknown[];
    allowedValue?: unknown;
    tag?: string;
    tagValue?: unknown;
  };
  if (params.missingProperty !== undefined)
    return { pointer: `${at}/${escapePointerSegment(params.missingProperty)}`, detail: 'is required' };
  if (params.additionalProperty !== undefined)
    return {
      pointer: `${at}/${escapePointerSegment(params.additionalProperty)}`,
      detail: part === 'body' ? 'is not a known field' : 'is not a known parameter',
    };
  if (e.keyword === 'discriminator')
    return { pointer: `${at}/${params.tag}`, detail: 'must be one of the allowed values' };
  if (e.keyword === 'const') return { pointer: at || '/', detail: `must be ${JSON.stringify(params.allowedValue)}` };
  const allowed = params.allowedValues ? `: ${params.allowedValues.join(', ')}` : '';
  return { pointer: at || '/', detail: `${e.message ?? 'is not valid'}${isNullable ? ' or null' : ''}${allowed}` };
}

/**
 * Finds strings that PostgreSQL cannot store unchanged: strings with U+0000 or an unpaired
 * surrogate.
 */
function findStringErrors(value: unknown, pointer: string): FastifySchemaValidationError[] {
  if (typeof value === 'string') {
    if (value.isWellFormed() && !value.includes('\0')) return [];
    return [
      {
        keyword: STRING_KEYWORD,
        instancePath: pointer,
        schemaPath: '',
        params: {},
        message: 'must not contain U+0000 or an unpaired surrogate',
      },
    ];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...findStringErrors(name, pointer),
    ...findStringErrors(inner, `${pointer}/${escapePointerSegment(name)}`),
  ]);
}

/** Whether a JSON value consists of at most `max` values, including nested values. */
function hasAtMost(value: unknown, max: number): boolean {
  let left = max;
  const count = (inner: unknown): boolean => {
    left--;
    if (left < 0) return false;
    if (typeof inner !== 'object' || inner === null) return true;
    return Object.values(inner).every(count);
  };
  return count(value);
}
