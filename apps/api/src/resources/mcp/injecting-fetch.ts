import type { App } from '../../context.ts';
import { injectWithSignal } from '../../http/disconnect-signal.ts';

/** Statuses whose responses must not have a body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Creates a `fetch` that passes requests to the routes of `app`. The routes apply authentication,
 * permissions, limits and the audit log, as for every other request.
 * @param address the address of the client, for the audit log and the request log.
 */
export function createInjectingFetch(app: App, address: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    const response = await injectWithSignal(init?.signal ?? request.signal, () =>
      app.inject({
        method: request.method as 'GET' | 'POST',
        url: pathname + search,
        headers: Object.fromEntries(request.headers),
        remoteAddress: address,
        ...(body === '' ? {} : { payload: body }),
      }),
    );
    const headers = new Headers();
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined) headers.set(name, String(value));
    return new Response(WITHOUT_BODY.has(response.statusCode) ? null : response.rawPayload, {
      status: response.statusCode,
      headers,
    });
  };
}
