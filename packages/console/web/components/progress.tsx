import { formatPercent } from '../format/numbers.ts';
import type { Tone } from './status.tsx';

interface ProgressBarProps {
  /** The name of the work, for screen readers. */
  readonly label: string;
  /** A share between 0 and 1. Null: the progress is unknown. */
  readonly share: number | null;
  readonly tone?: Tone;
  readonly isLarge?: boolean;
}

export function ProgressBar({ label, share, tone = 'running', isLarge = false }: ProgressBarProps) {
  const text = share === null ? 'unknown' : formatPercent(share);
  return (
    <div
      className="progress"
      data-tone={tone}
      data-large={isLarge || undefined}
      data-unknown={share === null || undefined}
      role="progressbar"
      aria-label={`Progress of ${label}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={text}
      {...(share === null ? {} : { 'aria-valuenow': Math.floor(share * 100) })}
    >
      <div className="progress-fill" style={{ inlineSize: `${(share ?? 1) * 100}%` }} />
    </div>
  );
}
