import type { CreditClass } from '@freshet/contracts';

/** The rate limit of one bucket, from the headers of a response. */
export interface BucketReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  /** The cost of the request itself. */
  readonly used: number | null;
}

/** The cost of one request. */
export interface CreditRequest {
  readonly buckets: readonly string[];
  readonly credits: number;
  readonly creditClass: CreditClass;
}
