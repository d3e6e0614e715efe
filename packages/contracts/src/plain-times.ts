/**
 * Times and dates in the form that Freshdesk uses. They are parsed without creating strings,
 * because every record contains several of them.
 */

/**
 * Parses a valid time in the form `2026-01-02T03:04:05Z`. PostgreSQL accepts such a time unchanged.
 * @returns milliseconds since 1970; NaN if the bytes have a different form.
 */
export function parsePlainTimestamp(bytes: Buffer, start: number, end: number): number {
  if (
    end - start !== 20 ||
    bytes[start + 10] !== 84 ||
    bytes[start + 13] !== 58 ||
    bytes[start + 16] !== 58 ||
    bytes[start + 19] !== 90 ||
    !isPlainDate(bytes, start, start + 10)
  )
    return Number.NaN;
  const hour = parseTwoDigits(bytes, start + 11);
  const minute = parseTwoDigits(bytes, start + 14);
  const second = parseTwoDigits(bytes, start + 17);
  const year = parseTwoDigits(bytes, start) * 100 + parseTwoDigits(bytes, start + 2);
  // `Date.UTC` interprets a year below 100 as a year of the twentieth century.
  if (year < 100 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return Number.NaN;
  return Date.UTC(year, parseTwoDigits(bytes, start + 5) - 1, parseTwoDigits(bytes, start + 8), hour, minute, second);
}

/** Whether the bytes are a valid calendar date in the form `2026-01-02`. */
export function isPlainDate(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return false;
  const century = parseTwoDigits(bytes, start);
  const year = parseTwoDigits(bytes, start + 2);
  return (
    century >= 0 &&
    year >= 0 &&
    isCalendarDay(century * 100 + year, parseTwoDigits(bytes, start + 5), parseTwoDigits(bytes, start + 8))
  );
}

/** Whether the Gregorian calendar has this day, in the years from 1. */
export function isCalendarDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const isLeapDay = month === 2 && day === 29;
  if (isLeapDay) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS_OF_MONTHS[month - 1] as number);
}

const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Parses two digits. Returns a negative number if one of the bytes is not a digit. */
function parseTwoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] as number) - 48;
  const ones = (bytes[at + 1] as number) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1000;
}
