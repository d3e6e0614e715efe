import { readFileSync } from 'node:fs';
import { AppError } from '@freshet/contracts';
import { parse, stringify, YAMLParseError } from 'yaml';

/** A resource as a file has it: the API's own shape, with names where the API has ids. */
export type Item = Readonly<Record<string, unknown>> & { readonly name: string };
export type Manifest = Readonly<Record<KindName, readonly Item[]>>;

/** What a file may hold, in the order in which one refers to the other. */
export const KINDS = ['credentials', 'destinations', 'pipelines', 'webhooks'] as const;
export type KindName = (typeof KINDS)[number];

/** What is never read back, so that a file may say where it comes from: `${env:NAME}` or `${file:/path}`. */
const SECRETS: readonly string[] = ['api_key', 'password', 'template_secret'];

/**
 * @param environment what `${env:NAME}` stands for.
 * @throws AppError `invalid_input` that names what is wrong and where.
 */
export function readManifest(path: string, environment: Readonly<Record<string, string | undefined>>): Manifest {
  let content: unknown;
  try {
    content = parse(readFileSync(path === '-' ? 0 : path, 'utf8'));
  } catch (error) {
    const { code } = error as { code?: string };
    if (error instanceof YAMLParseError) throw invalid(`${path} is not YAML: ${error.message}`);
    throw invalid(`${path} cannot be read: ${code ?? 'unknown'}.`);
  }
  if (!isObject(content)) throw invalid(`${path} must hold an object with: ${KINDS.join(', ')}.`);
  const unknown = Object.keys(content).filter((name) => !(KINDS as readonly string[]).includes(name));
  const problems = unknown.map((name) => `${path}: "${name}" is not known here. A file may hold: ${KINDS.join(', ')}.`);
  const kinds = KINDS.map((kind) => [
    kind,
    itemsOf(kind, (content as Record<string, unknown>)[kind] ?? [], environment, problems),
  ]);
  rejectProblems(problems);
  return Object.fromEntries(kinds) as unknown as Manifest;
}

export function writeManifest(manifest: Manifest): string {
  const filled = KINDS.filter((kind) => manifest[kind].length > 0).map((kind) => [kind, manifest[kind]]);
  return stringify(Object.fromEntries(filled), { lineWidth: 0 });
}

/** @param problems gets every problem of the items. */
function itemsOf(
  kind: KindName,
  items: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Item[] {
  if (!Array.isArray(items)) {
    problems.push(`${kind} must be a list.`);
    return [];
  }
  const names = new Set<string>();
  return items.flatMap((item: unknown, i) => {
    if (!isObject(item) || typeof item['name'] !== 'string') {
      problems.push(`${kind}[${i}] must be an object with a name.`);
      return [];
    }
    if (names.has(item['name'])) problems.push(`${kind}[${i}]: there is another "${item['name']}".`);
    names.add(item['name']);
    const entries = Object.entries(item).map(([field, value]) => {
      if (!SECRETS.includes(field)) return [field, value];
      return [field, collect(problems, () => secretOf(value, `${kind}[${i}].${field}`, environment)) ?? null];
    });
    return [Object.fromEntries(entries) as Item];
  });
}

/** Runs a step, and adds the message of an error of the file to the problems. */
function collect<T>(problems: string[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** @throws AppError `invalid_input` that lists all problems, one a line. */
export function rejectProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw invalid(problems.join('\n'));
}

function secretOf(value: unknown, where: string, environment: Readonly<Record<string, string | undefined>>): unknown {
  if (value === null) return null;
  if (typeof value !== 'string') throw invalid(`${where} must be a text.`);
  const reference = /^\$\{(env|file):(.+)\}$/.exec(value);
  if (reference === null) return value;
  const [, kind, name = ''] = reference;
  if (kind === 'env') {
    const found = environment[name];
    if (found === undefined || found === '') throw invalid(`${where}: the variable ${name} is not set.`);
    return found;
  }
  try {
    return readFileSync(name, 'utf8').trim();
  } catch (error) {
    throw invalid(`${where}: ${name} cannot be read: ${(error as { code?: string }).code ?? 'unknown'}.`);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isSecret(field: string): boolean {
  return SECRETS.includes(field);
}

export function invalid(message: string): AppError {
  return new AppError('invalid_input', message);
}
