import { createHmac } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { Attempt, AttemptOutcome, ControlStore } from '@freshet/control-store';
import type { Outbound } from '@freshet/runtime';
import { createTransport, type Transporter } from 'nodemailer';
import { Agent, request } from 'undici';
import { filledIn, type Message, severityOf, summaryOf } from './messages.ts';

/** How long a receiver may take to answer; who has more to do answers first. */
const TIMEOUT_MS = 15_000;
/** A mail server that sends a byte now and then never exceeds a timeout between two bytes, so a delivery also has one in all. */
const MAIL_TIMEOUT_MS = 60_000;
/** A subject is one line. */
const SUBJECT_MAX = 200;

/** Where mail goes out. */
export interface MailSettings {
  /** `smtp://user:password@host:port`, or `smtps://`. */
  readonly smtpUrl: string;
  readonly from: string;
  /** Milliseconds that the delivery of one mail may take in all. */
  readonly totalMs?: number;
}

/** Sends events by mail, and to webhooks: signed as Standard Webhooks says, never following a redirect, never to an address of this deployment's own. */
export class Deliveries {
  readonly #store: ControlStore;
  readonly #reach: Outbound;
  readonly #agent: Agent;
  readonly #mailMs: number;
  readonly #mail: { readonly transport: Transporter; readonly from: string } | null;

  /** @param mail null: none goes out, and deliveries by mail say so. */
  constructor(store: ControlStore, reach: Outbound, mail: MailSettings | null = null) {
    this.#store = store;
    this.#reach = reach;
    const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
    this.#mailMs = mail?.totalMs ?? MAIL_TIMEOUT_MS;
    this.#mail =
      mail === null ? null : { transport: createTransport({ url: mail.smtpUrl, ...timeouts }), from: mail.from };
    this.#agent = new Agent({
      connect: { lookup: reach.lookup, timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxHeaderSize: 16_384,
    });
  }

  /** One `deliver` job: an attempt, and what is to follow from it. @returns whether it was taken; null: there was nothing to deliver. */
  async deliver(deliveryId: string): Promise<boolean | null> {
    const attempt = await this.#store.webhooks.attempt(deliveryId);
    if (attempt === null) return null;
    const outcome = await this.#send(attempt);
    await this.#store.webhooks.settle(deliveryId, outcome);
    return outcome.error === null;
  }

  async close(): Promise<void> {
    this.#mail?.transport.close();
    await this.#agent.close();
  }

  #send(attempt: Attempt): Promise<AttemptOutcome> {
    const message: Message = { id: attempt.eventId, type: attempt.type, at: attempt.at, data: attempt.data };
    return attempt.url.startsWith('mailto:') ? this.#sendMail(attempt.url, message) : this.#post(attempt, message);
  }

  async #sendMail(url: string, message: Message): Promise<AttemptOutcome> {
    if (this.#mail === null)
      return {
        status: null,
        error: 'No mail goes out of this deployment: set SMTP_URL and FRESHET_MAIL_FROM for its schedulers.',
      };
    const summary = summaryOf(message);
    try {
      await this.#mail.transport.sendMail({
        from: this.#mail.from,
        to: url.slice('mailto:'.length).split(','),
        subject: `[Freshet ${severityOf(message)}] ${summary}`.slice(0, SUBJECT_MAX),
        text: `${summary}\n\n${message.type}, ${message.at.toISOString()}\n\n${JSON.stringify(message.data, null, 2)}\n`,
        // Receivers can tell one that comes twice.
        messageId: `<${message.id}@freshet>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.timeout(this.#mailMs),
      });
      return { status: null, error: null };
    } catch (error) {
      const { responseCode, code } = error as { responseCode?: number; code?: string };
      return { status: null, error: `The mail server did not take it: ${responseCode ?? code ?? 'unknown'}.` };
    }
  }

  async #post(
    { url: template, secrets, template: wanted, templateSecret }: Attempt,
    message: Message,
  ): Promise<AttemptOutcome> {
    const { id: eventId, type, at, data } = message;
    const url = template.replaceAll('{{secret}}', templateSecret ?? '');
    const body = JSON.stringify(
      wanted === null ? { type, timestamp: at.toISOString(), data } : filledIn(wanted, message, templateSecret),
    );
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
  if (name === 'TimeoutError' || code?.includes('TIMEOUT'))
    return `It did not answer within ${TIMEOUT_MS / 1000} seconds.`;
  return `It could not be reached: ${code ?? message ?? 'unknown'}.`;
}
