/** Formats numbers, sizes and durations with their units. */

export function formatNumber(value: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(undefined, { maximumFractionDigits }).format(value);
}

/** Formats a large number briefly, such as "1.2 million". */
export function formatApproximate(value: number): string {
  if (value < 10_000) return formatNumber(value);
  if (value < 1_000_000) return `${formatNumber(value / 1000)} thousand`;
  return `${formatNumber(value / 1_000_000, 1)} million`;
}

export function formatBytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${formatNumber(value / 1024 ** power, 1)} ${units[power]}`;
}

/** Formats a share between 0 and 1 as a percentage. It is 100 % only if the share is 1. */
export function formatPercent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

const UNITS = [
  ['day', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** Formats a duration in seconds with its two largest units, such as "3 h 12 min". */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([, size]) => total >= size);
  if (first === -1) return seconds > 0 ? '< 1 s' : '0 s';
  const parts: string[] = [];
  let rest = total;
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(unit === 'day' ? `${count} ${count === 1 ? 'day' : 'days'}` : `${count} ${unit}`);
  }
  return parts.join(' ');
}

/** Formats a duration in seconds with one unit, such as "1.7 min". */
export function formatDurationBriefly(seconds: number): string {
  const [unit, size] = UNITS.find(([, unitSize]) => seconds >= unitSize) ?? ['s', 1];
  const count = seconds / size;
  return `${formatNumber(count, 1)} ${unit === 'day' && count !== 1 ? 'days' : unit}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The steps between the labels of an axis with durations, in seconds. */
const DURATION_STEPS = [
  1,
  5,
  10,
  20,
  ...[1, 2, 5, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 5, 10, 20, 50].map((count) => count * DAY),
];

/** Lists three to five round durations from 0 to at least `maximum`, in seconds. */
export function listDurationTicks(maximum: number): number[] {
  const step = DURATION_STEPS.find((candidate) => maximum <= candidate * 4) ?? Math.ceil(maximum / 4 / DAY) * DAY;
  const count = Math.max(2, Math.ceil(maximum / step));
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Formats a number with a noun: "1 object", "2 objects". */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}
