import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run as StoredRun } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses } from '../../http/operation.ts';
import { IdParams } from '../../http/schemas.ts';
import { toRunJson } from './json.ts';
import { POLL_INTERVAL_MS } from './wait.ts';

/** The interval of heartbeats, which prevent proxies from closing the idle connection. */
const HEARTBEAT_MS = 15_000;
const RECONNECT_DELAY_MS = 2000;

/** Registers the stream of a run's events (server-sent events). */
export function registerRunEventRoutes(app: App, deps: Deps): void {
  app.get(
    '/v1/runs/:id/events',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'streamRunEvents',
          tags: ['runs'],
          summary: 'Stream run events',
          description:
            'Streams server-sent events of the type `run`. The data of an event is the current Run. The first event is sent immediately, and another event is sent whenever the Run has changed. The stream ends when the run finishes. It also ends when the process shuts down: reconnect in this case. If a client reconnects with `Last-Event-ID`, the first event is sent only if the Run differs from the event with this id. The status is 204 if the run has finished and the client has received the last event.',
        }),
        params: IdParams,
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ maxLength: 100, description: 'The id of the last event that the client received.' }),
          ),
        }),
        response: {
          200: {
            description: 'The event stream.',
            content: { 'text/event-stream': { schema: Type.String({ description: 'Server-sent events.' }) } },
          },
          204: Type.Unsafe<undefined>({
            description: 'The run has finished, and the client has received the last event.',
            type: 'null',
          }),
          ...problemResponses(404),
        },
      },
    },
    async (request, reply) => {
      const lastEventId = request.headers['last-event-id'] ?? null;
      const run = await deps.store.runs.get(request.params.id);
      if (run.finished_at !== null && getRevision(run) === lastEventId) {
        reply.code(204);
        return undefined as never;
      }
      const stream = Readable.from(generateEvents(deps, run, lastEventId), { objectMode: false });
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream as never);
    },
  );
}

/** Generates the lines of the stream until the run finishes or the process shuts down. */
async function* generateEvents(
  deps: Pick<Deps, 'store' | 'isDraining' | 'traceUrl'>,
  initialRun: StoredRun,
  lastEventId: string | null,
): AsyncGenerator<string> {
  const { store, isDraining } = deps;
  let lastRevision = lastEventId;
  let lastSentAt = Date.now();
  yield `retry: ${RECONNECT_DELAY_MS}\n\n`;
  for (let run = initialRun; ; run = await store.runs.get(initialRun.id)) {
    const revision = getRevision(run);
    if (revision !== lastRevision) {
      yield `id: ${revision}\nevent: run\ndata: ${JSON.stringify(toRunJson(run, deps))}\n\n`;
      [lastRevision, lastSentAt] = [revision, Date.now()];
    } else if (Date.now() - lastSentAt > HEARTBEAT_MS) {
      yield ': heartbeat\n\n';
      lastSentAt = Date.now();
    }
    // If the process shuts down, the client reconnects to a different process.
    if (run.finished_at !== null || isDraining()) return;
    await sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Returns an identifier of the state of a run, which is used as the id of the event. Equal states
 * have equal identifiers in all processes.
 */
function getRevision(run: StoredRun): string {
  return createHash('sha256')
    .update(JSON.stringify(toRunJson(run, {})))
    .digest('base64url')
    .slice(0, 22);
}
