import { createHmac } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { AttemptOutcome, ControlStore, DeliveryAttempt } from '@freshet/control-store';
import type { OutboundPolicy } from '@freshet/runtime';
import { createTransport, type Transporter } from 'nodemailer';
import { Agent, request } from 'undici';
import { getSeverity, getSummary, type Message, renderTemplate } from './messages.ts';

/**
 * A receiver must respond within this time. A receiver that needs longer to process an event must
 * respond before the processing.
 */
const RESPONSE_TIMEOUT_MS = 15_000;
/**
 * The maximum total duration of one mail delivery. This limit is necessary because a mail server
 * that slowly sends single bytes never exceeds the socket timeout.
 */
const MAIL_TIMEOUT_MS = 60_000;
const RESPONSE_HEADER_BYTES_MAX = 16_384;
/** The maximum length of the mail subject. */
const SUBJECT_LENGTH_MAX = 200;

export interface MailSettings {
  /** `smtp://user:password@host:port`, or `smtps://`. */
  readonly smtpUrl: string;
  /** The sender address. */
  readonly from: string;
  /** Milliseconds that the delivery of one mail may take in total. */
  readonly timeoutMs?: number;
}

/**
 * Delivers events by email and to webhooks. Webhook requests are signed according to the Standard
 * Webhooks specification. They do not follow redirects, and they do not connect to blocked
 * addresses.
 */
export class Deliveries {
  readonly #store: ControlStore;
  readonly #outboundPolicy: OutboundPolicy;
  readonly #agent: Agent;
  readonly #mailTimeoutMs: number;
  readonly #mail: { readonly transport: Transporter; readonly from: string } | null;

  /** @param mail null: the deployment has no mail server, and deliveries by email fail. */
  constructor(store: ControlStore, outboundPolicy: OutboundPolicy, mail: MailSettings | null = null) {
    this.#store = store;
    this.#outboundPolicy = outboundPolicy;
    this.#mailTimeoutMs = mail?.timeoutMs ?? MAIL_TIMEOUT_MS;
    this.#mail = mail === null ? null : { transport: createMailTransport(mail.smtpUrl), from: mail.from };
    this.#agent = new Agent({
      connect: { lookup: outboundPolicy.lookup, timeout: RESPONSE_TIMEOUT_MS },
      headersTimeout: RESPONSE_TIMEOUT_MS,
      bodyTimeout: RESPONSE_TIMEOUT_MS,
      maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
    });
  }

  /**
   * Runs one `deliver` job: attempts the delivery and stores its outcome.
   * @returns whether the receiver accepted the event; null when the delivery is no longer
   *   pending.
   */
  async deliver(deliveryId: string): Promise<boolean | null> {
    const attempt = await this.#store.webhooks.getAttempt(deliveryId);
    if (attempt === null) return null;
    const outcome = await this.#send(attempt);
    await this.#store.webhooks.recordAttempt(deliveryId, outcome);
    return outcome.error === null;
  }

  async close(): Promise<void> {
    this.#mail?.transport.close();
    await this.#agent.close();
  }

  #send(attempt: DeliveryAttempt): Promise<AttemptOutcome> {
    const message: Message = { id: attempt.eventId, type: attempt.type, at: attempt.at, data: attempt.data };
    return attempt.url.startsWith('mailto:') ? this.#sendMail(attempt.url, message) : this.#post(attempt, message);
  }

  async #sendMail(url: string, message: Message): Promise<AttemptOutcome> {
    if (this.#mail === null)
      return {
        status: null,
        error: 'No mail server is configured. Set SMTP_URL and FRESHET_MAIL_FROM for the schedulers.',
      };
    const summary = getSummary(message);
    try {
      await this.#mail.transport.sendMail({
        from: this.#mail.from,
        to: url.slice('mailto:'.length).split(','),
        subject: `[Freshet ${getSeverity(message)}] ${summary}`.slice(0, SUBJECT_LENGTH_MAX),
        text: `${summary}\n\n${message.type}, ${message.at.toISOString()}\n\n${JSON.stringify(message.data, null, 2)}\n`,
        // All attempts use the same id, so that receivers can discard duplicate mails.
        messageId: `<${message.id}@freshet>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.timeout(this.#mailTimeoutMs),
      });
      return { status: null, error: null };
    } catch (error) {
      const { responseCode, code } = error as { responseCode?: number; code?: string };
      return {
        status: null,
        error: `The mail server did not accept the mail: ${responseCode ?? code ?? 'unknown error'}.`,
      };
    }
  }

  async #post(
    { url: urlTemplate, secrets, template, templateSecret }: DeliveryAttempt,
    message: Message,
  ): Promise<AttemptOutcome> {
    const { id: eventId, type, at, data } = message;
    const url = urlTemplate.replaceAll('{{secret}}', templateSecret ?? '');
    const payload =
      template === null
        ? { type, timestamp: at.toISOString(), data }
        : renderTemplate(template, message, templateSecret);
    const body = JSON.stringify(payload);
    // Sign the time of this attempt, because receivers reject old timestamps as replay attacks.
    const timestamp = Math.floor(Date.now() / 1000);
    try {
      this.#outboundPolicy.check(new URL(url).hostname);
      const { statusCode, body: responseBody } = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'freshet',
          'webhook-id': eventId,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': secrets.map((secret) => sign(secret, `${eventId}.${timestamp}.${body}`)).join(' '),
        },
        body,
        signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
      });
      // Discard the response body. It has no meaning and may be endless.
      responseBody.destroy();
      responseBody.on('error', () => {});
      const isAccepted = statusCode >= 200 && statusCode < 300;
      return { status: statusCode, error: isAccepted ? null : `The receiver responded with status ${statusCode}.` };
    } catch (error) {
      return { status: null, error: describeError(error) };
    }
  }
}

function createMailTransport(smtpUrl: string): Transporter {
  return createTransport({
    url: smtpUrl,
    connectionTimeout: RESPONSE_TIMEOUT_MS,
    greetingTimeout: RESPONSE_TIMEOUT_MS,
    socketTimeout: RESPONSE_TIMEOUT_MS,
  });
}

/**
 * Returns `v1,` and the HMAC-SHA256 of the signed content
 * (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
 * @param content event id, timestamp and body, joined by periods.
 */
function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

function describeError(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof AppError) return cause.message;
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (name === 'TimeoutError' || code?.includes('TIMEOUT'))
    return `The receiver did not respond within ${RESPONSE_TIMEOUT_MS / 1000} seconds.`;
  return `The receiver is unreachable: ${code ?? message ?? 'unknown error'}.`;
}
