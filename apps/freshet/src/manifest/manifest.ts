import { readFileSync } from 'node:fs';
import { parse, stringify, YAMLParseError } from 'yaml';
import { createInvalidInputError } from '../cli/errors.ts';
import { isObject } from './field-paths.ts';

/**
 * A resource in a manifest. It has the fields of the API, but refers to other resources by name
 * instead of by id.
 */
export type ManifestItem = Readonly<Record<string, unknown>> & { readonly name: string };
export type Manifest = Readonly<Record<ResourceKind, readonly ManifestItem[]>>;

/** The kinds of resources in a manifest. Each kind refers only to kinds earlier in this list. */
export const RESOURCE_KINDS = ['credentials', 'destinations', 'pipelines', 'webhooks'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Returns the singular of a kind, such as `pipeline` for `pipelines`. */
export function toSingular(kind: ResourceKind): string {
  return kind.slice(0, -1);
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The write-only fields. Instead of a value, a manifest can contain a reference to the value:
 * `${env:NAME}` or `${file:/path}`.
 */
const SECRET_FIELDS: readonly string[] = ['api_key', 'password', 'template_secret'];

/**
 * Reads a manifest and resolves its references to secrets.
 * @param path a file; `-` is standard input.
 * @param environment the environment variables to which `${env:NAME}` refers.
 * @throws AppError `invalid_input` that lists all problems, one per line, each with its location.
 */
export function readManifest(path: string, environment: Environment): Manifest {
  const source = path === '-' ? 'standard input' : path;
  const content = readYaml(path, source);
  if (!isObject(content))
    throw createInvalidInputError(`${source}: must contain an object with the keys ${RESOURCE_KINDS.join(', ')}.`);
  const problems = Object.keys(content)
    .filter((key) => !(RESOURCE_KINDS as readonly string[]).includes(key))
    .map((key) => `${source}: unknown key "${key}". Valid keys: ${RESOURCE_KINDS.join(', ')}.`);
  const entries = RESOURCE_KINDS.map((kind) => [kind, parseItems(kind, content[kind] ?? [], environment, problems)]);
  rejectProblems(problems);
  return Object.fromEntries(entries) as unknown as Manifest;
}

/** Returns the manifest as YAML. Kinds without resources are omitted. */
export function formatManifest(manifest: Manifest): string {
  const entries = RESOURCE_KINDS.filter((kind) => manifest[kind].length > 0).map((kind) => [kind, manifest[kind]]);
  return stringify(Object.fromEntries(entries), { lineWidth: 0 });
}

/**
 * Does nothing if the list is empty.
 * @throws AppError `invalid_input` that lists the problems, one per line.
 */
export function rejectProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw createInvalidInputError(problems.join('\n'));
}

export function isSecretField(field: string): boolean {
  return SECRET_FIELDS.includes(field);
}

/** @param source the name of the file in error messages. */
function readYaml(path: string, source: string): unknown {
  try {
    return parse(readFileSync(path === '-' ? 0 : path, 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw createInvalidInputError(`${source} is not valid YAML: ${error.message}`);
    throw createInvalidInputError(`${source}: the file cannot be read (${getErrorCode(error)}).`);
  }
}

/** @param problems receives the problems of the items. */
function parseItems(kind: ResourceKind, items: unknown, environment: Environment, problems: string[]): ManifestItem[] {
  if (!Array.isArray(items)) {
    problems.push(`${kind}: must be a list.`);
    return [];
  }
  const names = new Set<string>();
  return items.flatMap((item: unknown, i) => {
    if (!isObject(item) || typeof item['name'] !== 'string') {
      problems.push(`${kind}[${i}]: must be an object with a name.`);
      return [];
    }
    if (names.has(item['name'])) problems.push(`${kind}[${i}]: duplicate name "${item['name']}".`);
    names.add(item['name']);
    const entries = Object.entries(item).map(([field, value]) => {
      if (!isSecretField(field)) return [field, value];
      return [field, resolveSecret(value, `${kind}[${i}].${field}`, environment, problems)];
    });
    return [Object.fromEntries(entries) as ManifestItem];
  });
}

/**
 * Returns the value of a secret field. If the field does not contain a string, or if its reference
 * cannot be resolved, adds a problem and returns null.
 */
function resolveSecret(value: unknown, location: string, environment: Environment, problems: string[]): string | null {
  if (value === null) return null;
  if (typeof value !== 'string') {
    problems.push(`${location}: must be a string.`);
    return null;
  }
  const [, source, name = ''] = /^\$\{(env|file):(.+)\}$/.exec(value) ?? [];
  if (source === undefined) return value;
  if (source === 'env') {
    const secret = environment[name] ?? '';
    if (secret !== '') return secret;
    problems.push(`${location}: the environment variable ${name} is not set.`);
    return null;
  }
  try {
    return readFileSync(name, 'utf8').trim();
  } catch (error) {
    problems.push(`${location}: the file ${name} cannot be read (${getErrorCode(error)}).`);
    return null;
  }
}

function getErrorCode(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown error';
}
