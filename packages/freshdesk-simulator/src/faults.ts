import type { ServerResponse } from 'node:http';
import { hash, pick } from './random.ts';

/** Faults that a real API has now and then, by the number of the call, so that a seed replays them exactly. */
export interface Faults {
  readonly seed: number;
  /** One call in so many fails. */
  readonly oneIn: number;
}

type Fault = '429' | '500' | '502' | '503' | '504' | 'html' | 'cut' | 'reset' | 'slow';
const KINDS: readonly Fault[] = ['429', '500', '502', '503', '504', 'html', 'cut', 'reset', 'slow'];
/** What a 429 that nobody earned asks for. */
const RETRY_AFTER_SECONDS = 1;
const SLOW_MS = 300;

export function faultOf(faults: Faults | undefined, call: number): Fault | null {
  if (!faults || hash(faults.seed, call, 5) % faults.oneIn !== 0) return null;
  return pick(KINDS, hash(faults.seed, call, 6));
}

/** @returns whether the call is answered with it; a slow one goes on to its answer. */
export async function commit(
  fault: Fault,
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
