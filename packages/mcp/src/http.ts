import { Freshet } from '@freshet/client';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { createServer } from './server.ts';

/** The token of an HTTP request, and a `fetch` that sends requests to the API. */
interface HttpRequestOptions {
  readonly token: string;
  readonly fetch: typeof fetch;
  /** The parsed JSON body of the request. */
  readonly body: unknown;
}

/** Serves HTTP requests by the transport "streamable HTTP", without sessions. */
export interface HttpHandler {
  handle(request: Request, options: HttpRequestOptions): Promise<Response>;
  close(): Promise<void>;
}

/** The API ignores the origin of requests of this process. */
const API_URL = 'http://freshet.internal';

/**
 * Creates the handler. Each request gets a separate server, which calls the API with the token of
 * the request.
 * @param onError receives errors of the transport.
 */
export function createHttpHandler(onError: (error: Error) => void): HttpHandler {
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const send = authInfo?.extra?.['fetch'] as typeof fetch;
      const client = new Freshet({ url: API_URL, token: authInfo?.token ?? '', fetch: send, maxAttempts: 1 });
      return createServer(client);
    },
    { onerror: onError },
  );
  return {
    handle: (request, { token, fetch: send, body }) =>
      handler.fetch(request, {
        authInfo: { token, clientId: 'freshet', scopes: [], extra: { fetch: send } },
        parsedBody: body,
      }),
    close: () => handler.close(),
  };
}
