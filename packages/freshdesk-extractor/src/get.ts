import type { Dispatcher, Pool } from 'undici';

export interface Answered {
  readonly statusCode: number;
  readonly headers: Headers;
  /** Null: it was larger than allowed, and not read to its end. */
  readonly body: Buffer | null;
}

/** An answer's headers, by their names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * One GET whose answer is kept whole, as bytes: without a stream around each, thousands of small answers a second cost half as much.
 * @param bytesMax what is larger is not read further.
 * @throws the network's error when there is no complete answer.
 */
export function get(pool: Pool, path: string, headers: Record<string, string>, bytesMax: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let statusCode = 0;
    let answered: Headers = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    const handler: Dispatcher.DispatchHandler = {
      // undici takes a handler for one of its present kind by this.
      onRequestStart() {},
      onResponseStart(_controller, status, responseHeaders) {
        statusCode = status;
        answered = responseHeaders as Headers;
      },
      onResponseData(controller, chunk) {
        bytes += chunk.length;
        if (bytes <= bytesMax) chunks.push(chunk);
        else {
          resolve({ statusCode, headers: answered, body: null });
          controller.abort(new Error('larger than allowed'));
        }
      },
      onResponseEnd() {
        resolve({ statusCode, headers: answered, body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes) });
      },
      onResponseError(_controller, error) {
        reject(error);
      },
    };
    pool.dispatch({ method: 'GET', path, headers }, handler);
  });
}
