import { isJsonObject, type Json, type JsonObject, parseJson } from '@freshet/contracts';

/**
 * The values of a default field of tickets and their labels, as rows. Choices come in two shapes: statuses as
 * `{"2": ["for agents", "for customers"]}`, priorities and sources as `{"label": 2}`. [documented]
 */
export function labelsOf(fields: Json, type: string): JsonObject[] {
  const field = Array.isArray(fields) ? fields.filter(isJsonObject).find((f) => f['type'] === type) : undefined;
  const choices = field?.['choices'];
  if (!isJsonObject(choices)) return [];
  return Object.entries(choices).map(([key, value]) =>
    Array.isArray(value)
      ? { id: keyValue(key), label: value[0] ?? null, label_for_customers: value[1] ?? null }
      : { id: value, label: key },
  );
}

/** A key of a JSON object as the number that it spells, with all of its digits. */
function keyValue(key: string): Json {
  return /^-?(0|[1-9]\d*)$/.test(key) ? parseJson(key) : key;
}
