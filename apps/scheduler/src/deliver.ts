import { createHmac } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { Attempt, AttemptOutcome, ControlStore } from '@freshet/control-store';
import type { Outbound } from '@freshet/runtime';
import { Agent, request } from 'undici';

/** How long a receiver may take to answer; who has more to do answers first. */
const TIMEOUT_MS = 15_000;

/** Sends events to webhooks: signed as Standard Webhooks says, never following a redirect, never to an address of this deployment's own. */
export class Deliveries {
  readonly #store: ControlStore;
  readonly #reach: Outbound;
  readonly #agent: Agent;

  constructor(store: ControlStore, reach: Outbound) {
    this.#store = store;
    this.#reach = reach;
    this.#agent = new Agent({
      connect: { lookup: reach.lookup, timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxHeaderSize: 16_384,
    });
  }

  /** One `deliver` job: an attempt, and what is to follow from it. */
  async deliver(deliveryId: string): Promise<void> {
    const attempt = await this.#store.webhooks.attempt(deliveryId);
    if (attempt !== null) await this.#store.webhooks.settle(deliveryId, await this.#send(attempt));
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #send({ url, eventId, type, at, data, secrets }: Attempt): Promise<AttemptOutcome> {
    const body = JSON.stringify({ type, timestamp: at.toISOString(), data });
    // The moment of the attempt: receivers refuse what is too old to be no replay.
    const timestamp = Math.floor(Date.now() / 1000);
    try {
      this.#reach.check(new URL(url).hostname);
      const { statusCode, body: answer } = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'freshet',
          'webhook-id': eventId,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': secrets.map((secret) => signature(secret, `${eventId}.${timestamp}.${body}`)).join(' '),
        },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // What it has to say beyond its status is nobody's business here, and may be endless.
      answer.destroy();
      answer.on('error', () => {});
      const isTaken = statusCode >= 200 && statusCode < 300;
      return { status: statusCode, error: isTaken ? null : `It answered with status ${statusCode}.` };
    } catch (error) {
      return { status: null, error: said(error) };
    }
  }
}

/** `v1,` and the HMAC-SHA256 of id, time and body (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md). */
function signature(secret: string, signed: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

function said(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof AppError) return at.message;
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (name === 'TimeoutError' || code?.includes('TIMEOUT')) return `It did not answer within ${TIMEOUT_MS / 1000} seconds.`;
  return `It could not be reached: ${code ?? message ?? 'unknown'}.`;
}
