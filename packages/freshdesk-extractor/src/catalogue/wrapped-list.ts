import { isJsonObject, type Json, type JsonObject } from '@freshet/contracts';

/**
 * Returns the records of a response that is an object with a list in one of its fields; empty if
 * there is none.
 */
export function parseWrappedList(response: Json, field: string): JsonObject[] {
  const list = isJsonObject(response) ? response[field] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
