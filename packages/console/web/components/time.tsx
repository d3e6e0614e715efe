import { useSyncExternalStore } from 'react';
import { formatAge, formatFull, formatRelative, formatShort, formatUtc } from '../format/times.ts';

const TICK_MS = 1000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const notify of listeners) notify();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** Returns the current time. The component renders again every second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

interface TimeProps {
  /** Null: the event has not happened. */
  readonly value: string | null;
  /**
   * `relative`: "4 min ago". `age`: "4 min". `short`: "today 09:00". `full`: the complete time. The
   * title always contains the complete time and UTC.
   */
  readonly format?: 'relative' | 'age' | 'short' | 'full';
  /** The text for null. */
  readonly absent?: string;
}

/** A time in the zone of the viewer. The title shows the complete time and UTC. */
export function Time({ value, format = 'relative', absent = '—' }: TimeProps) {
  const current = useNow();
  if (value === null) return <span>{absent}</span>;
  const text =
    format === 'relative'
      ? formatRelative(value, current)
      : format === 'age'
        ? formatAge(value, current)
        : format === 'short'
          ? formatShort(value, current)
          : formatFull(value);
  return (
    <time dateTime={value} title={`${formatFull(value)}\n${formatUtc(value)}`} className="tabular">
      {text}
    </time>
  );
}
