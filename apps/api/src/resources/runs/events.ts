import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStore, Run as StoredRun } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { operation, problems } from '../../http/operation.ts';
import { IdParams } from '../../http/schemas.ts';
import { runJson } from './routes.ts';

/** A run is looked at so often while somebody watches it. */
const LOOK_MS = 400;
/** Proxies close connections on which nothing moves. */
const HEARTBEAT_MS = 15_000;

export function runEventRoutes(app: App, { store, isDraining }: Deps): void {
  app.get(
    '/v1/runs/:id/events',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'watchRun',
          tags: ['runs'],
          summary: 'Watch a run',
          description:
            'Server-sent events: each time that the run has changed, one of the type `run` whose data is the whole Run. Ends when the run does. A reader that was cut off goes on with `Last-Event-ID`, as browsers do by themselves: it is sent the run as it is now, unless it has seen that already. 204: the run is over, and was seen.',
        }),
        params: IdParams,
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ maxLength: 100, description: 'The id of the last event that was seen.' }),
          ),
        }),
        response: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: Type.String({ description: 'Server-sent events.' }) } },
          },
          204: Type.Unsafe<undefined>({ description: 'It is over, and its end was seen.', type: 'null' }),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const seen = request.headers['last-event-id'] ?? null;
      const first = await store.runs.get(request.params.id);
      if (first.finished_at !== null && revision(first) === seen) {
        reply.code(204);
        return undefined as never;
      }
      const stream = Readable.from(eventsOf(store, first, seen, isDraining), { objectMode: false });
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream as never);
    },
  );
}

async function* eventsOf(
  store: ControlStore,
  first: StoredRun,
  seen: string | null,
  isDraining: () => boolean,
): AsyncGenerator<string> {
  let last = seen;
  let saidAt = Date.now();
  yield 'retry: 2000\n\n';
  for (let run = first; ; run = await store.runs.get(first.id)) {
    const now = revision(run);
    if (now !== last) {
      yield `id: ${now}\nevent: run\ndata: ${JSON.stringify(runJson(run))}\n\n`;
      [last, saidAt] = [now, Date.now()];
    } else if (Date.now() - saidAt > HEARTBEAT_MS) {
      yield ': still there\n\n';
      saidAt = Date.now();
    }
    // Who is cut off because this process ends comes back to another one.
    if (run.finished_at !== null || isDraining()) return;
    await sleep(LOOK_MS);
  }
}

/** Names a state of a run: another one has another name. */
function revision(run: StoredRun): string {
  return createHash('sha256')
    .update(JSON.stringify(runJson(run)))
    .digest('base64url')
    .slice(0, 22);
}

/** The run when it is over, or as it is after so many seconds. */
export async function whenOver(store: ControlStore, id: string, seconds: number): Promise<StoredRun> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const run = await store.runs.get(id);
    if (run.finished_at !== null || Date.now() >= until) return run;
    await sleep(Math.min(LOOK_MS, until - Date.now()));
  }
}
