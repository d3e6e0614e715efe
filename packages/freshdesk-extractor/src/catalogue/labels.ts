import { isJsonObject, type Json, type JsonObject, parseJson } from '@freshet/contracts';

/**
 * Extracts the labels of a default ticket field from the list of ticket fields. Each label becomes
 * a record. Freshdesk returns the choices of statuses as `{"2": ["for agents", "for customers"]}`,
 * and those of priorities and sources as `{"label": 2}`. [documented]
 * @param type the type of the field, such as `default_status`.
 */
export function parseChoiceLabels(fields: Json, type: string): JsonObject[] {
  const field = Array.isArray(fields) ? fields.filter(isJsonObject).find((f) => f['type'] === type) : undefined;
  const choices = field?.['choices'];
  if (!isJsonObject(choices)) return [];
  return Object.entries(choices).map(([key, value]) =>
    Array.isArray(value)
      ? { id: parseKey(key), label: value[0] ?? null, label_for_customers: value[1] ?? null }
      : { id: value, label: key },
  );
}

/** Converts the key of a JSON object to a number without loss of digits; other keys stay text. */
function parseKey(key: string): Json {
  return /^-?(0|[1-9]\d*)$/.test(key) ? parseJson(key) : key;
}
