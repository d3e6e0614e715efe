import type { CreditClass } from '@freshet/contracts';

/** A reading: the state of one bucket, as the rate-limit headers of a response report it. */
export interface BucketReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  /** The credits that Freshdesk charged for the request. */
  readonly used: number | null;
}

/** The cost of one request. */
export interface CreditRequest {
  readonly buckets: readonly string[];
  readonly credits: number;
  readonly creditClass: CreditClass;
}
