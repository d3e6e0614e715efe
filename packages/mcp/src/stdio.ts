import { Freshet } from '@freshet/client';
import { serveStdio as serve } from '@modelcontextprotocol/server/stdio';
import { createServer } from './server.ts';

export interface StdioOptions {
  /** The address of the API, and an API token. */
  readonly url: string;
  readonly token: string;
  /** Receives errors of the transport. */
  readonly onError: (error: Error) => void;
}

/**
 * Serves one assistant over standard input and standard output, until standard input is closed.
 * Nothing else may write to standard output.
 */
export function serveStdio({ url, token, onError }: StdioOptions): void {
  const client = new Freshet({ url, token });
  serve(() => createServer(client), { onerror: onError });
}
