/**
 * Functions for the fields of a resource. A path is the name of a field (`name`) or, for a field of
 * a nested JSON object, two names joined by a period (`source.subdomain`).
 */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function getField(object: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), object);
}

export function setField(object: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', rest] = path.split('.');
  if (rest === undefined) object[first] = value;
  else object[first] = { ...(isObject(object[first]) ? object[first] : {}), [rest]: value };
}

export function deleteField(object: Record<string, unknown>, path: string): void {
  const [first = '', rest] = path.split('.');
  if (rest === undefined) delete object[first];
  else if (isObject(object[first])) delete object[first][rest];
}

/**
 * Replaces the field `source` with one entry for each of its fields, such as `source.subdomain`, so
 * that these fields are compared one by one. All other nested JSON objects are compared as a whole.
 */
export function flattenSource(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { source, ...rest } = fields;
  const sourceFields = isObject(source) ? Object.entries(source).map(([name, value]) => [`source.${name}`, value]) : [];
  return { ...rest, ...Object.fromEntries(sourceFields) };
}
