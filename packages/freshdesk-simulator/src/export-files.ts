import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulatedAccount } from './account.ts';
import { type Activity, exportObject } from './activity-log.ts';
import { formatTimestamp } from './timestamps.ts';

/** Options of the daily export of ticket activities. */
export interface ExportOptions {
  /** The shape of the response with the URL of a file. Default: `object`. */
  readonly exportShape?: 'object' | 'list';
  /** How many hours after midnight UTC the days of the account start. Default: 0. */
  readonly exportOffsetHours?: number;
  /** The file of a day is kept for this many days. Default: as the catalogue states. */
  readonly exportRetentionDays?: number;
  /** Returns the fault of a day's file; null: none. */
  readonly exportFault?: (day: string) => ExportFault | null;
}

/**
 * `missing`: the file does not exist. `not-found`: as `missing`, with status 404. `expired`: the
 * URL has expired. `truncated`: the connection is closed within the file. `cut`: the file ends
 * within an entry. `shortened`: the file lacks half of its entries, and states the lower number.
 * `wrong-count`: the file states a wrong number of entries. `slow`: the file
 * stops. `oversized`: the file does not end. `redirect`: the URL redirects to the API of the
 * account.
 */
export type ExportFault =
  | 'missing'
  | 'not-found'
  | 'expired'
  | 'truncated'
  | 'cut'
  | 'shortened'
  | 'wrong-count'
  | 'slow'
  | 'oversized'
  | 'redirect';

const DAY_MS = 86_400_000;
const URL_SECONDS = 300;
/** The number of entries that are serialized at once. */
const ENTRIES_PER_CHUNK = 1000;

/**
 * Serves the files of the daily export from another origin than the API, as Freshdesk does. The
 * URLs are signed and expire. A request that sends credentials is rejected, as by S3.
 */
export class ExportFiles {
  /** The number of files that were requested, by day. */
  readonly requestsByDay = new Map<string, number>();
  readonly #account: SimulatedAccount;
  readonly #options: ExportOptions;
  readonly #server: Server;
  #host = '127.0.0.1';
  #apiOrigin = '';

  constructor(account: SimulatedAccount, options: ExportOptions) {
    this.#account = account;
    this.#options = options;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** Starts listening on a free port. */
  async listen(host: string, apiOrigin: string): Promise<void> {
    this.#host = host;
    this.#apiOrigin = apiOrigin;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, resolve);
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * Returns the response of the API to a request for a day's file. Null: the file does not exist,
   * and the API returns status 404.
   */
  describeFile(day: string): object | null {
    const fault = this.#getFault(day);
    if (fault === 'not-found') return null;
    const isList = this.#options.exportShape === 'list';
    if (fault === 'missing' || !this.#isKept(day)) return isList ? { export: [] } : { export: {} };
    const expiresAt = this.#account.nowSeconds() + URL_SECONDS;
    const { port } = this.#server.address() as AddressInfo;
    const url =
      `http://${this.#host}:${port}/activities/${day}.json?X-Amz-Expires=${URL_SECONDS}&expires=${expiresAt}` +
      `&X-Amz-Signature=${sign(day, expiresAt)}`;
    const [year, month, date] = day.split('-').map(Number);
    return { export: isList ? [{ created_at: `${date}-${month}-${year}`, url }] : { url } };
  }

  #getFault(day: string): ExportFault | null {
    return this.#options.exportFault?.(day) ?? null;
  }

  /** Whether the day has ended, and its file is not too old. */
  #isKept(day: string): boolean {
    const { exportOffsetHours = 0, exportRetentionDays = exportObject.strategy.retentionDays } = this.#options;
    const endedAt = Date.parse(`${day}T00:00:00Z`) + DAY_MS + exportOffsetHours * 3_600_000;
    const age = this.#account.nowSeconds() * 1000 - endedAt;
    return age >= 0 && age < exportRetentionDays * DAY_MS;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://files');
    const day = /^\/activities\/(\d{4}-\d{2}-\d{2})\.json$/.exec(pathname)?.[1];
    if (request.headers.authorization !== undefined || request.headers.cookie !== undefined)
      return sendError(response, 400, 'InvalidArgument', 'Only one auth mechanism allowed');
    if (day === undefined) return sendError(response, 404, 'NoSuchKey', 'The specified key does not exist.');
    this.requestsByDay.set(day, (this.requestsByDay.get(day) ?? 0) + 1);
    const expiresAt = Number(searchParams.get('expires'));
    if (searchParams.get('X-Amz-Signature') !== sign(day, expiresAt))
      return sendError(response, 403, 'SignatureDoesNotMatch', 'The request signature does not match.');
    const fault = this.#getFault(day);
    if (fault === 'expired' || expiresAt < this.#account.nowSeconds())
      return sendError(response, 403, 'AccessDenied', 'Request has expired');
    if (fault === 'redirect') {
      response.writeHead(302, { location: `${this.#apiOrigin}/api/v2/agents/me` }).end();
      return;
    }
    await this.#sendFile(day, fault, response);
  }

  async #sendFile(day: string, fault: ExportFault | null, response: ServerResponse): Promise<void> {
    const { exportOffsetHours = 0 } = this.#options;
    const activities = this.#account.listActivities(day, exportOffsetHours);
    const start = Date.parse(`${day}T00:00:00Z`) / 1000 + exportOffsetHours * 3600;
    const limit = fault === null || fault === 'wrong-count' ? activities.length : Math.floor(activities.length / 2);
    const count = fault === 'wrong-count' ? limit + 1 : fault === 'shortened' ? limit : activities.length;
    const metadata = {
      start_at: formatDayFirst(start),
      end_at: formatDayFirst(start + DAY_MS / 1000 - 1),
      activities_count: count,
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`{"metadata":${JSON.stringify(metadata)},"activities_data":[`);
    for (let from = 0; from < limit; from += ENTRIES_PER_CHUNK) {
      const chunk = activities.slice(from, Math.min(limit, from + ENTRIES_PER_CHUNK)).map(renderActivity);
      await write(response, (from > 0 ? ',' : '') + chunk.join(','));
    }
    if (fault === 'slow') return;
    const brokenEntry = `${limit > 0 ? ',' : ''}{"performed_at":"01-`;
    if (fault === 'truncated') {
      await write(response, brokenEntry);
      response.destroy();
    } else if (fault === 'cut') response.end(brokenEntry);
    else if (fault === 'oversized') while (!response.destroyed) await write(response, ' '.repeat(1024 * 1024));
    else response.end(']}');
  }
}

function renderActivity({ performedAt, ticketId, performerType, performerId, activity }: Activity): string {
  return JSON.stringify({
    performed_at: formatDayFirst(performedAt),
    ticket_id: ticketId,
    performer_type: performerType,
    performer_id: performerId,
    activity,
  });
}

/** Formats a time as the export does: `31-12-2026 23:59:59 +0000`. */
function formatDayFirst(seconds: number): string {
  const text = formatTimestamp(seconds);
  return `${text.slice(8, 10)}-${text.slice(5, 7)}-${text.slice(0, 4)} ${text.slice(11, 19)} +0000`;
}

function sign(day: string, expiresAt: number): string {
  return createHash('sha256').update(`${day}/${expiresAt}`).digest('hex');
}

/** Writes to a response, and waits until the client has received most of it. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const finish = () => {
      response.off('drain', finish).off('close', finish);
      resolve();
    };
    response.on('drain', finish).on('close', finish);
  });
}

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}
