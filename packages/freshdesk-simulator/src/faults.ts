import type { ServerResponse } from 'node:http';
import { hash, pick } from './random.ts';

/**
 * Options for injecting the faults of a real API. The seed and the number of a request determine
 * whether a fault occurs, and which one, so the same seed reproduces the same faults.
 */
export interface FaultOptions {
  readonly seed: number;
  /** The average number of requests per fault: 40 means that one of 40 requests has a fault. */
  readonly oneIn: number;
}

type FaultKind = '429' | '500' | '502' | '503' | '504' | 'html' | 'cut' | 'reset' | 'slow';
const FAULT_KINDS: readonly FaultKind[] = ['429', '500', '502', '503', '504', 'html', 'cut', 'reset', 'slow'];
/** The `Retry-After` of an injected 429. */
const RETRY_AFTER_SECONDS = 1;
const SLOW_MS = 300;

/** Picks the fault for a request. Returns null for a request without a fault. */
export function pickFault(options: FaultOptions | undefined, requestNumber: number): FaultKind | null {
  if (!options || hash(options.seed, requestNumber, 5) % options.oneIn !== 0) return null;
  return pick(FAULT_KINDS, hash(options.seed, requestNumber, 6));
}

/**
 * Injects a fault into a response.
 * @param block called with the `Retry-After` of an injected 429, in seconds.
 * @returns true if the fault has ended the response. False after the fault `slow`, which only
 * delays the request: the caller must still handle the request.
 */
export async function injectFault(
  fault: FaultKind,
  response: ServerResponse,
  block: (seconds: number) => void,
): Promise<boolean> {
  switch (fault) {
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      return false;
    case '429':
      block(RETRY_AFTER_SECONDS);
      response
        .writeHead(429, { 'retry-after': String(RETRY_AFTER_SECONDS), 'content-type': 'application/json' })
        .end('{"message":"storm"}');
      return true;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>We will be back soon</body></html>');
      return true;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('[{"id":1,"subject":"cut in the mid');
      response.destroy();
      return true;
    case 'reset':
      response.destroy();
      return true;
    default:
      response.writeHead(Number(fault)).end();
      return true;
  }
}
