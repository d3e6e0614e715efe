import { isJsonObject, type Json, type JsonObject } from '@freshet/contracts';

/**
 * Returns the records of a response that holds them as a list in a field of a JSON object. Returns
 * an empty array if the field holds no list.
 */
export function parseWrappedList(response: Json, field: string): JsonObject[] {
  const list = isJsonObject(response) ? response[field] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
