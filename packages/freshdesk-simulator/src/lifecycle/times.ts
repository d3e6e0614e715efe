import { formatTimestamp } from '../timestamps.ts';

// Durations in milliseconds.
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Formats a time, with milliseconds only if they are not zero. */
export function formatTime(ms: number): string;
export function formatTime(ms: number | null): string | null;
export function formatTime(ms: number | null): string | null {
  if (ms === null) return null;
  return ms % 1000 === 0 ? formatTimestamp(ms / 1000) : new Date(ms).toISOString();
}

/** Removes the milliseconds of a time in milliseconds. */
export function floorToSecond(ms: number): number {
  return Math.floor(ms / SECOND) * SECOND;
}
