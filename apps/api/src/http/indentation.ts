import { parseJson } from '@freshet/contracts';
import type { App } from '../context.ts';

/** Matches the parameter `indent` in `Accept`, such as in `application/json; indent=2`. */
const INDENT_PARAMETER = /;\s*indent=([1-8])\s*(?:[,;]|$)/;
const JSON_MEDIA_TYPE = /^application\/(?:problem\+)?json\b/;

/**
 * Indents JSON responses and ends them with a line break if the request's `Accept` has the
 * parameter `indent`.
 */
export function registerIndentation(app: App): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const spaces = INDENT_PARAMETER.exec(request.headers.accept ?? '')?.[1];
    if (
      spaces === undefined ||
      typeof payload !== 'string' ||
      !JSON_MEDIA_TYPE.test(String(reply.getHeader('content-type') ?? ''))
    )
      return done(null, payload);
    // Unlike JSON.parse, parseJson preserves all digits of large numbers.
    done(null, `${JSON.stringify(parseJson(payload), null, Number(spaces))}\n`);
  });
}
