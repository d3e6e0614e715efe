import { parseJson } from '@freshet/contracts';
import type { App } from '../app.ts';

/** The parameter of a media range in `Accept`, such as `application/json; indent=2`. */
const INDENT = /;\s*indent=([1-8])\s*(?:[,;]|$)/;
const JSON_TYPE = /^application\/(?:problem\+)?json\b/;

/** Indents the JSON of a response, and ends it with a line break, for a request that asks for that: people read it on a terminal. */
export function registerIndentation(app: App): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const spaces = INDENT.exec(request.headers.accept ?? '')?.[1];
    if (
      spaces === undefined ||
      typeof payload !== 'string' ||
      !JSON_TYPE.test(String(reply.getHeader('content-type') ?? ''))
    )
      return payload;
    // Every digit of a number is kept.
    return `${JSON.stringify(parseJson(payload), null, Number(spaces))}\n`;
  });
}
