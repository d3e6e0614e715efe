/** A duration in ten-thousandths of a minute, which are exactly 6 milliseconds. */
export type MinuteUnits = number;

const UNIT_MS = 6;
const UNITS_PER_MINUTE = 10_000;

/**
 * Converts a duration in milliseconds to minutes with four decimals, as text. A half of the last
 * decimal is rounded away from zero.
 */
export function toMinutes(ms: number): string {
  return formatUnits(toUnits(ms));
}

/** Like {@link toMinutes}, for a duration in microseconds that is not negative. */
export function toMinutesSince(microseconds: bigint): string {
  return formatUnits(Number((microseconds + 3000n) / 6000n));
}

function toUnits(ms: number): MinuteUnits {
  const units = Math.floor(Math.abs(ms) / UNIT_MS) + (Math.abs(ms) % UNIT_MS >= UNIT_MS / 2 ? 1 : 0);
  return ms < 0 ? -units : units;
}

/** Formats units as decimal text without trailing zeros, such as `12.5`. */
export function formatUnits(units: MinuteUnits): string {
  const digits = String(Math.abs(units)).padStart(5, '0');
  const whole = digits.slice(0, -4);
  const fraction = digits.slice(-4).replace(/0+$/, '');
  const sign = units < 0 ? '-' : '';
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Parses minutes as text. @throws RangeError if the text has more than four decimals. */
export function parseUnits(text: string): MinuteUnits {
  const match = /^(-?)(\d+)(?:\.(\d{1,4})0*)?$/.exec(text);
  if (!match) throw new RangeError(`${text} is not a number of minutes with four decimals.`);
  const units = Number(match[2]) * UNITS_PER_MINUTE + Number((match[3] ?? '').padEnd(4, '0'));
  return match[1] === '-' ? -units : units;
}
