/** Formats times in the time zone of the viewer. */
import { formatDuration } from './numbers.ts';

/** Formats the distance of a time from now, such as "4 min ago" or "in 56 min". */
export function formatRelative(time: string | null, now: number): string {
  if (time === null) return 'never';
  const seconds = (now - Date.parse(time)) / 1000;
  const distance = formatCoarse(Math.abs(seconds));
  if (distance === null) return 'just now';
  return seconds >= 0 ? `${distance} ago` : `in ${distance}`;
}

/** Formats how long ago a time was, such as "4 min". */
export function formatAge(time: string | null, now: number): string {
  if (time === null) return '—';
  return formatCoarse(Math.max(0, (now - Date.parse(time)) / 1000)) ?? '< 1 min';
}

/** Formats a duration with one unit. Returns null for less than 5 seconds. */
function formatCoarse(seconds: number): string | null {
  if (seconds < 5) return null;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    return hours < 6 && minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  return formatDuration(Math.floor(seconds / 86_400) * 86_400);
}

/** Formats a time completely in the zone of the viewer, such as "28 Nov 2026, 09:00:12". */
export function formatFull(time: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(time));
}

/** Formats a time in UTC, for comparison with logs: "2026-11-28 09:00:12 UTC". */
export function formatUtc(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Formats a time briefly: "today 09:00", "yesterday 09:00", "24 Nov 09:00" or "24 Nov 2025". */
export function formatShort(time: string, now: number): string {
  const date = new Date(time);
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(date);
  const startOfToday = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.round((startOfToday - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return `today ${clock}`;
  if (days === 1) return `yesterday ${clock}`;
  if (days === -1) return `tomorrow ${clock}`;
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  const day = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  }).format(date);
  return isThisYear ? `${day} ${clock}` : day;
}

/** Formats the start of the history: "all" or a month, such as "Apr 2026". */
export function formatHistorySince(time: string | null): string {
  if (time === null) return '—';
  if (time.startsWith('1970')) return 'all';
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(time));
}
