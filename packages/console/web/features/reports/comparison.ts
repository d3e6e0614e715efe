/** Compares figures with those of the previous period. */
import { formatNumber } from '../../format/numbers.ts';
import type { Hours } from './report-search.ts';
import { formatMinutes } from './report-values.ts';

export interface Comparison {
  /** Null: the value is the same, or there is nothing to compare. */
  readonly direction: 'up' | 'down' | null;
  /** Whether the change is an improvement. Volumes are neutral. */
  readonly tone: 'good' | 'failed' | 'neutral';
  /** The size and the meaning of the change: "12 min faster". Null: there is nothing to compare. */
  readonly text: string | null;
}

type Value = number | null;

const NONE: Comparison = { direction: null, tone: 'neutral', text: null };
const SAME: Comparison = { direction: null, tone: 'neutral', text: 'no change' };

/** Compares volumes, in percent of the previous value. */
export function compareCounts(value: number, before: number): Comparison {
  if (before === 0) return value === 0 ? SAME : NONE;
  const percent = Math.round(((value - before) / before) * 100);
  if (percent === 0) return SAME;
  const text = `${formatNumber(Math.abs(percent))} % ${percent > 0 ? 'more' : 'fewer'}`;
  return { direction: percent > 0 ? 'up' : 'down', tone: 'neutral', text };
}

/** Compares durations. A shorter duration is better. */
export function compareMinutes(value: Value, before: Value, hours: Hours): Comparison {
  if (value === null || before === null) return NONE;
  const difference = formatMinutes(Math.abs(value - before), hours);
  // Durations that are displayed equally are equal.
  if (formatMinutes(value, hours) === formatMinutes(before, hours)) return SAME;
  return value < before
    ? { direction: 'down', tone: 'good', text: `${difference} faster` }
    : { direction: 'up', tone: 'failed', text: `${difference} slower` };
}

/** Compares percentages, in percentage points. A higher percentage is better. */
export function comparePercentages(value: Value, before: Value): Comparison {
  if (value === null || before === null) return NONE;
  const points = Math.round((value - before) * 10) / 10;
  if (points === 0) return SAME;
  const size = formatNumber(Math.abs(points), 1);
  const unit = Math.abs(points) === 1 ? 'point' : 'points';
  return points > 0
    ? { direction: 'up', tone: 'good', text: `${size} ${unit} higher` }
    : { direction: 'down', tone: 'failed', text: `${size} ${unit} lower` };
}
