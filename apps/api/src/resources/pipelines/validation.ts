import { isTimeZone } from '@freshet/analytics';
import { type FieldRules, getColumnName } from '@freshet/contracts';
import { findScheduleProblems, type ObjectSettings } from '@freshet/control-store';
import {
  catalogue,
  getObject,
  isObjectName,
  listObjectsToExtract,
  listProtectedFields,
  type ObjectSpec,
  parseSubdomain,
} from '@freshet/freshdesk-extractor';
import { DEFAULT_FREQUENCY, type Deps, type Frequency } from '../../context.ts';
import { catchFieldProblems, escapePointerSegment, type FieldProblem } from '../../http/field-problems.ts';

/**
 * The fields of a creation or an update of a pipeline that need validation. Any field may be
 * missing.
 */
export interface PartialPipeline {
  readonly source?: { readonly subdomain?: string; readonly credential_id?: string };
  readonly destination_id?: string;
  readonly destination_schema?: string;
  readonly frequency_minutes?: number;
  readonly schedule?: { readonly cron?: string; readonly time_zone?: string } | null;
  readonly objects?: Readonly<Record<string, Partial<ObjectSettings>>>;
  readonly analytics_time_zone?: string | null;
}

/** Finds problems that the schemas cannot express: invalid names, schedules and references. */
export async function findPipelineProblems(
  { store, frequency = DEFAULT_FREQUENCY }: Deps,
  input: PartialPipeline,
): Promise<FieldProblem[]> {
  const { source, destination_id, destination_schema, frequency_minutes, schedule, objects, analytics_time_zone } =
    input;
  const { subdomain, credential_id } = source ?? {};
  return [
    ...(subdomain === undefined ? [] : catchFieldProblems('/source/subdomain', () => parseSubdomain(subdomain))),
    ...(destination_schema === undefined ? [] : findSchemaProblems(destination_schema)),
    ...(frequency_minutes === undefined ? [] : findFrequencyProblems(frequency_minutes, frequency)),
    ...(schedule ? findScheduleProblems(schedule, frequency.min) : []),
    ...(objects === undefined ? [] : findObjectProblems(objects)),
    ...(analytics_time_zone ? findTimeZoneProblems(analytics_time_zone) : []),
    ...(await store.pipelines.findReferenceProblems({
      ...(credential_id === undefined ? {} : { credential_id }),
      ...(destination_id === undefined ? {} : { destination_id }),
    })),
  ];
}

/**
 * Finds unknown objects, settings that an object does not support, and a selection that includes no
 * object.
 */
export function findObjectProblems(settings: Readonly<Record<string, Partial<ObjectSettings>>>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const knownSettings: Record<string, ObjectSettings> = {};
  for (const [name, objectSettings] of Object.entries(settings)) {
    const pointer = `/objects/${escapePointerSegment(name)}`;
    if (!isObjectName(name)) {
      const available = catalogue.map((o) => o.name).join(', ');
      problems.push({ pointer, detail: `objects: "${name}" does not exist. Available objects: ${available}.` });
      continue;
    }
    const object = getObject(name);
    knownSettings[name] = { included: object.includedByDefault, ...objectSettings };
    if (objectSettings.detail === true && !hasDetails(object)) {
      const supported = catalogue.filter(hasDetails).map((o) => o.name);
      const detail = `objects.${name}.detail is not supported by this object. Objects with details: ${supported.join(', ')}.`;
      problems.push({ pointer: `${pointer}/detail`, detail });
    }
    problems.push(...findFieldRuleProblems(object, objectSettings.columns ?? {}));
  }
  if (listObjectsToExtract(knownSettings).length === 0)
    problems.push({ pointer: '/objects', detail: 'objects: at least one object must be included.' });
  return problems;
}

/** Converts the subdomain in a body, if there is one, to the notation in which it is stored. */
export function normalizeSubdomain<T extends PartialPipeline>(body: T): T {
  const { subdomain } = body.source ?? {};
  if (subdomain === undefined || catchFieldProblems('/source/subdomain', () => parseSubdomain(subdomain)).length > 0)
    return body;
  return { ...body, source: { ...body.source, subdomain: parseSubdomain(subdomain) } };
}

function findFrequencyProblems(minutes: number, { min }: Frequency): FieldProblem[] {
  const isSubHourly = minutes >= min && minutes <= 30 && minutes % 5 === 0;
  if (isSubHourly || (minutes % 60 === 0 && minutes >= 60 && minutes <= 1440)) return [];
  const subHourly = min < 30 ? `${min} to 30 in steps of 5` : '30';
  const detail = `frequency_minutes must be ${subHourly}, or a whole number of hours up to 24 (60, 120, … 1440). The value is ${minutes}.`;
  return [{ pointer: '/frequency_minutes', detail }];
}

function findSchemaProblems(schema: string): FieldProblem[] {
  if (!schema.startsWith('pg_') && schema !== 'information_schema') return [];
  const detail =
    'destination_schema must not be information_schema or begin with pg_: PostgreSQL reserves these names.';
  return [{ pointer: '/destination_schema', detail }];
}

function findTimeZoneProblems(timeZone: string): FieldProblem[] {
  if (isTimeZone(timeZone)) return [];
  const detail = `analytics_time_zone: "${timeZone}" is not a time zone. Use a name of the IANA database, such as Europe/Berlin, or a name that Freshdesk uses, such as Eastern Time (US & Canada).`;
  return [{ pointer: '/analytics_time_zone', detail }];
}

function hasDetails(object: ObjectSpec): boolean {
  return (object.detail?.columns ?? []).length > 0;
}

/**
 * Finds rules that do not apply to their fields, and column names that are already in use. Returns
 * at most one problem per field.
 */
function findFieldRuleProblems(object: ObjectSpec, rules: FieldRules): FieldProblem[] {
  const usedNames = new Set(object.columns.map((c) => c.name));
  return Object.entries(rules).flatMap(([field, rule]) => {
    const problem = findFieldRuleProblem(object, field, rule, usedNames);
    if (rule.rename !== undefined) usedNames.add(rule.rename);
    if (problem === null) return [];
    return [
      {
        pointer: `/objects/${object.name}/columns/${escapePointerSegment(field)}`,
        detail: `objects.${object.name}.columns.${field}: ${problem}`,
      },
    ];
  });
}

function findFieldRuleProblem(
  object: ObjectSpec,
  field: string,
  { rename, drop, hash }: FieldRules[string],
  usedNames: ReadonlySet<string>,
): string | null {
  const customFields = object.customFields?.field;
  const nestedColumn = object.columns.find(({ name, path }) => name === field && path !== undefined);
  if (nestedColumn?.path !== undefined) return `the field of this column is ${nestedColumn.path.join('.')}.`;
  if (listProtectedFields(object).includes(field))
    return 'replication depends on this field. It cannot be renamed, dropped or hashed.';
  if (field === customFields && (drop === true || hash === true))
    return `custom fields can only be dropped or hashed individually. Use ${field}.cf_… instead.`;
  if (drop === true && (hash === true || rename !== undefined)) return 'a dropped field cannot be hashed or renamed.';
  if (rename === undefined) return null;
  if (getColumnName(rename) !== rename) return `rename: "${rename}" is reserved by PostgreSQL or Freshet.`;
  if (usedNames.has(rename)) return `rename: the table already has a column "${rename}".`;
  const hasColumn = object.columns.some(({ path }) => path?.join('.') === field);
  return field.includes('.') && !field.startsWith(`${customFields}.`) && !hasColumn
    ? 'rename: only a field that has its own column can be renamed.'
    : null;
}
