import type { Tone } from './status.tsx';

const WIDTH = 96;
const HEIGHT = 22;

interface SparklineProps {
  readonly values: readonly number[];
  /** A description of the bars with their values, for screen readers. */
  readonly label: string;
  readonly tone: Tone;
}

/** Small bars without axes. The largest value has the full height. */
export function Sparkline({ values, label, tone }: SparklineProps) {
  const maximum = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length);
  return (
    <svg className="sparkline" data-tone={tone} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <title>{label}</title>
      {values.map((value, i) => {
        const height = value === 0 ? 1 : Math.max(2, (value / maximum) * HEIGHT);
        return <rect key={i} x={i * step} y={HEIGHT - height} width={Math.max(1, step - 1)} height={height} />;
      })}
    </svg>
  );
}
