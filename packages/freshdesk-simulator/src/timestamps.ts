const DAY_SECONDS = 86_400;
const dayCache = new Map<number, string>();

/**
 * Formats a Unix time in whole seconds as `YYYY-MM-DDTHH:MM:SSZ`. Dates are cached, because
 * millions of records share a few dates.
 */
export function formatTimestamp(seconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS);
  let date = dayCache.get(day);
  if (date === undefined) {
    date = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 11);
    dayCache.set(day, date);
  }
  const rest = seconds - day * DAY_SECONDS;
  return `${date}${padTwo(Math.floor(rest / 3600))}:${padTwo(Math.floor(rest / 60) % 60)}:${padTwo(rest % 60)}Z`;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const padTwo = (n: number): string => TWO_DIGITS[n] as string;
