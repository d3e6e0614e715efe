import { AppError } from '@freshet/contracts';
import type { HttpHandler } from '@freshet/mcp';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../context.ts';
import { getBearerToken } from '../../http/auth.ts';
import { createDisconnectSignal, retainRequest } from '../../http/disconnect-signal.ts';
import { createInjectingFetch } from './injecting-fetch.ts';

/**
 * Serves MCP by the transport "streamable HTTP". The tools send their requests to this API, with
 * the token of the MCP request, without a network connection.
 */
export function registerMcpRoutes(app: App): void {
  let handler: Promise<HttpHandler> | null = null;
  app.post(
    '/mcp',
    {
      // The permission of each tool is that of the operation that the tool calls.
      config: { permission: 'read', isReadOnly: true, ignoresIdempotencyKey: true },
      schema: { hide: true },
      onRequest: rejectBrowsers,
    },
    async (request, reply) => {
      handler ??= loadHandler(app);
      const token = getBearerToken(request) ?? '';
      const webRequest = toWebRequest(request, reply);
      reply.raw.once('close', retainRequest(webRequest));
      const response = await (await handler).handle(webRequest, {
        token,
        fetch: createInjectingFetch(app, request.ip),
        body: request.body,
      });
      return await reply.send(response);
    },
  );
  app.addHook('onClose', async () => (await handler)?.close());
}

/** Loads the MCP server when the first request arrives, so that the API starts without it. */
async function loadHandler(app: App): Promise<HttpHandler> {
  const { createHttpHandler } = await import('@freshet/mcp');
  return createHttpHandler((error) => app.log.warn({ err: error }, 'MCP request failed'));
}

/**
 * Rejects requests of web pages, which send their origin. The check protects deployments in private
 * networks against DNS rebinding. Assistants and their proxies do not send an origin.
 */
async function rejectBrowsers(request: FastifyRequest): Promise<void> {
  const { origin } = request.headers;
  if (origin === undefined) return;
  throw new AppError(
    'permission_denied',
    'The endpoint /mcp does not accept requests of web pages, which send the header Origin. Connect an MCP client that is not a web page.',
  );
}

/**
 * Converts a request without its body, which has been parsed. The host in the URL is constant,
 * because the client chooses the value of the header `Host`, and the value can be invalid in a URL.
 */
function toWebRequest(request: FastifyRequest, reply: FastifyReply): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, String(value));
  return new Request(new URL(request.url, 'http://localhost'), {
    method: request.method,
    headers,
    signal: createDisconnectSignal(reply),
  });
}
