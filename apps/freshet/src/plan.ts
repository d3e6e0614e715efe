import { isDeepStrictEqual } from 'node:util';
import type { Freshet } from '@freshet/client';
import { type Item, isObject, isSecret, KINDS, type KindName, type Manifest, rejectProblems } from './manifest.ts';

/** A resource as the API answers it. */
export type Stored = Readonly<Record<string, unknown>> & { readonly id: string; readonly name: string };
export type Deployed = Readonly<Record<KindName, readonly Stored[]>>;

/** Something that is to be done. */
export interface Step {
  readonly action: 'create' | 'change' | 'delete' | 'pause' | 'resume';
  readonly kind: KindName;
  readonly name: string;
  /** Null where it is not made yet. */
  readonly id: string | null;
  /** What is sent, in the file's own words; secrets included. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** For people: field by field, without secrets. */
  readonly said: readonly string[];
}

/** Fields that name another resource in a file, and what the API calls them. */
export const REFERENCES: Readonly<
  Partial<Record<KindName, Readonly<Record<string, { readonly field: string; readonly kind: KindName }>>>>
> = {
  destinations: { credential: { field: 'credential_id', kind: 'credentials' } },
  pipelines: {
    destination: { field: 'destination_id', kind: 'destinations' },
    'source.credential': { field: 'source.credential_id', kind: 'credentials' },
  },
};

/** What is fixed when a resource is made. */
const FIXED: Readonly<Partial<Record<KindName, readonly string[]>>> = {
  credentials: ['type'],
  destinations: ['type'],
  pipelines: ['destination', 'destination_schema', 'table_prefix', 'source.type', 'source.subdomain'],
};

const HINT_CHARACTERS = 4;

export async function readDeployed(freshet: Freshet): Promise<Deployed> {
  const all = await Promise.all(KINDS.map(async (kind) => [kind, await collected(freshet.all(`/v1/${kind}`))]));
  return Object.fromEntries(all) as unknown as Deployed;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export interface PlanOptions {
  /** What stands in no file is deleted. */
  readonly prune: boolean;
  /** Secrets are sent even where they seem to be the same. */
  readonly secrets: boolean;
}

/**
 * What has to be done so that the deployment is as the file says. Fields that the file does not name stay as they are.
 * @throws AppError `invalid_input` for what cannot be changed, or refers to nothing.
 */
export function planOf(manifest: Manifest, deployed: Deployed, { prune, secrets }: PlanOptions): Step[] {
  const steps: Step[] = [];
  const problems: string[] = [];
  for (const kind of KINDS) {
    for (const item of manifest[kind]) {
      checkReferences(kind, item, manifest, deployed, problems);
      const stored = deployed[kind].find((s) => s.name === item.name);
      const { status, ...fields } = item;
      if (stored === undefined) {
        steps.push({
          action: 'create',
          kind,
          name: item.name,
          id: null,
          fields,
          said: Object.entries(flat(fields)).map(([f, v]) => `${f}: ${shown(f, v)}`),
        });
        if (kind === 'pipelines' && status === 'paused')
          steps.push({ action: 'pause', kind, name: item.name, id: null, fields: {}, said: [] });
        continue;
      }
      steps.push(...changes(kind, fields, stored, deployed, secrets, problems));
      if (kind === 'pipelines' && status !== undefined && status !== stored['status']) {
        if (status !== 'paused' && status !== 'active')
          problems.push(`pipelines "${item.name}": status must be active or paused.`);
        steps.push({
          action: status === 'paused' ? 'pause' : 'resume',
          kind,
          name: item.name,
          id: stored.id,
          fields: {},
          said: [],
        });
      }
    }
  }
  rejectProblems(problems);
  if (!prune) return steps;
  for (const kind of KINDS.toReversed()) {
    for (const { id, name } of deployed[kind]) {
      if (!manifest[kind].some((item) => item.name === name))
        steps.push({ action: 'delete', kind, name, id, fields: {}, said: [] });
    }
  }
  return steps;
}

function changes(
  kind: KindName,
  wanted: Readonly<Record<string, unknown>>,
  stored: Stored,
  deployed: Deployed,
  secrets: boolean,
  problems: string[],
): Step[] {
  const current = withNames(kind, stored, deployed);
  const changed: Record<string, unknown> = {};
  const said: string[] = [];
  for (const [path, value] of Object.entries(flat(wanted))) {
    if (isSecret(path)) {
      if (!secrets && seemsTheSame(stored, path, value)) continue;
      said.push(`${path}: another one`);
    } else {
      const now = at(current, path);
      if (isDeepStrictEqual(now, value)) continue;
      if (FIXED[kind]?.includes(path)) {
        problems.push(
          `${kind} "${stored.name}": ${path} is ${JSON.stringify(now)} and cannot be changed to ${JSON.stringify(value)}. Make another one.`,
        );
      }
      said.push(`${path}: ${shown(path, now)} → ${shown(path, value)}`);
    }
    put(changed, path, value);
  }
  return said.length === 0 ? [] : [{ action: 'change', kind, name: stored.name, id: stored.id, fields: changed, said }];
}

/** What is never read back shows its last characters, or only that it is there. */
function seemsTheSame(stored: Stored, field: string, value: unknown): boolean {
  if (field === 'template_secret') return (value !== null) === stored['has_template_secret'];
  return typeof value === 'string' && stored['hint'] === value.slice(-HINT_CHARACTERS);
}

/** A stored resource in a file's words: names for ids. */
export function withNames(kind: KindName, stored: Stored, deployed: Deployed): Record<string, unknown> {
  const named = structuredClone(stored) as Record<string, unknown>;
  for (const [path, { field, kind: of }] of Object.entries(REFERENCES[kind] ?? {})) {
    put(named, path, deployed[of].find((s) => s.id === at(stored, field))?.name ?? null);
    drop(named, field);
  }
  return named;
}

function checkReferences(kind: KindName, item: Item, manifest: Manifest, deployed: Deployed, problems: string[]): void {
  for (const [path, { kind: of }] of Object.entries(REFERENCES[kind] ?? {})) {
    const name = at(item, path);
    if (name === undefined) continue;
    if (![...manifest[of], ...deployed[of]].some((other) => other.name === name)) {
      problems.push(
        `${kind} "${item.name}": ${path}: there is no "${String(name)}" among the ${of}, neither in the file nor deployed.`,
      );
    }
  }
}

/** `source` is given field by field, all else as a whole. */
function flat(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { source, ...rest } = fields;
  const ofSource = isObject(source) ? Object.entries(source).map(([name, value]) => [`source.${name}`, value]) : [];
  return { ...rest, ...Object.fromEntries(ofSource) };
}

export function at(of: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), of);
}

export function put(into: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', rest] = path.split('.');
  if (rest === undefined) into[first] = value;
  else into[first] = { ...(isObject(into[first]) ? into[first] : {}), [rest]: value };
}

export function drop(from: Record<string, unknown>, path: string): void {
  const [first = '', rest] = path.split('.');
  if (rest === undefined) delete from[first];
  else if (isObject(from[first])) delete from[first][rest];
}

function shown(field: string, value: unknown): string {
  return isSecret(field) ? '(secret)' : JSON.stringify(value);
}
