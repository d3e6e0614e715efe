import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INCLUDE_COST } from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from './account.ts';
import { type AccountOptions, NO_HIDDEN_COLUMNS } from './account-options.ts';
import { ExportFiles, type ExportOptions } from './export-files.ts';
import { type FaultOptions, injectFault, pickFault } from './faults.ts';
import { buildLifecycleAccount } from './lifecycle/build-account.ts';
import { type Plan, RateLimits } from './limits.ts';
import { type ListQuirks, parseIncludes, renderListPage, renderSearchPage } from './lists.ts';
import { buildRoutes, findRoute, type RouteMatch } from './routes.ts';

export interface SimulatorOptions extends Partial<AccountOptions>, ListQuirks, ExportOptions {
  /**
   * Gives tickets coherent life cycles (see `buildLifecycleAccount`). Without this option, the
   * fields of each record are generated independently of each other, and an account of any size
   * starts immediately.
   */
  readonly lifecycle?: boolean;
  readonly plan?: Plan;
  /** The rate limits of individual lists count requests instead of credits. */
  readonly listLimitsCountRequests?: boolean;
  /** The agent of each API key. */
  readonly keys?: Readonly<Record<string, Agent>>;
  /** Features that the plan lacks, spelled as in Freshdesk's error messages. */
  readonly missingFeatures?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly faults?: FaultOptions;
  /**
   * Called before each request is handled, so that tests can inject faults. Returns true if it has
   * sent the response.
   */
  readonly intercept?: (request: SimulatedRequest, response: ServerResponse) => boolean | Promise<boolean>;
}

interface Agent {
  readonly admin: boolean;
  readonly ticketScope: 1 | 2 | 3;
}

interface SimulatedRequest {
  /** The sequence number of the request, starting at 1. */
  readonly number: number;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The default API keys: the key of an admin, and the key of an agent without admin rights. */
export const DEFAULT_KEYS = {
  'demo-admin-key': { admin: true, ticketScope: 1 },
  'demo-agent-key': { admin: false, ticketScope: 1 },
} as const satisfies SimulatorOptions['keys'];

/**
 * The host in `Link` headers. Like Freshdesk, the simulator sends the account's host and not the
 * address on which it listens.
 */
const HOST = 'simulated.freshdesk.com';

const UNAUTHENTICATED = {
  code: 'invalid_credentials',
  message: 'You have to be logged in to perform this action.',
};

/** Serves Freshdesk's API v2 for a simulated account, on a real socket. */
export class FreshdeskSimulator {
  readonly account: SimulatedAccount;
  readonly limits: RateLimits;
  /** The server of the exported files, which listens on another port. */
  readonly exportFiles: ExportFiles;
  /**
   * The number of requests by path, with keys replaced by `{id}`. Requests to which `intercept`
   * responded are not counted.
   */
  readonly requestsByPath = new Map<string, number>();
  /** Features that the plan lacks. Tests may change them at any time. */
  readonly missingFeatures: Set<string>;
  readonly #options: SimulatorOptions;
  readonly #server: Server;
  readonly #routes = buildRoutes();
  #requests = 0;

  constructor(options: SimulatorOptions = {}) {
    this.#options = options;
    this.missingFeatures = new Set(options.missingFeatures);
    const now = options.now ?? Date.now;
    const accountOptions = { seed: 1, asOf: new Date(now()), spanDays: 365, ...options };
    this.account =
      options.lifecycle === true ? buildLifecycleAccount(accountOptions) : new SimulatedAccount(accountOptions);
    this.exportFiles = new ExportFiles(this.account, options);
    this.limits = new RateLimits(options.plan ?? 'unlimited', now, options.listLimitsCountRequests);
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** Starts listening. @returns the origin, such as `http://127.0.0.1:8080`. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1', resolve);
    });
    await this.exportFiles.listen(this.#options.host ?? '127.0.0.1', this.origin);
    return this.origin;
  }

  /** The origin. Available only while the simulator is listening. */
  get origin(): string {
    return `http://${this.#options.host ?? '127.0.0.1'}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.exportFiles.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The number of requests, except those to which `intercept` responded. */
  get requestCount(): number {
    return [...this.requestsByPath.values()].reduce((sum, n) => sum + n, 0);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const { pathname: path, searchParams: query } = url;
    const number = ++this.#requests;
    if (await this.#options.intercept?.({ number, path, query }, response)) return;
    const label = path.replace(/\d+/g, '{id}');
    this.requestsByPath.set(label, (this.requestsByPath.get(label) ?? 0) + 1);
    this.#setHeaders(response);
    const fault = pickFault(this.#options.faults, number);
    if (fault !== null && (await injectFault(fault, response, (seconds) => this.limits.block(seconds)))) return;

    const list = findRoute(this.#routes.lists, path);
    // A request with an invalid key, path or parameter also costs credits.
    const credits = list ? 1 + INCLUDE_COST * parseIncludes(query).length : 1;
    if (!this.#spendCredits(response, list?.object.bucket ?? null, credits))
      return send(response, 429, { message: 'You have exceeded the limit of requests per minute' });

    const keys: Readonly<Record<string, Agent>> = this.#options.keys ?? DEFAULT_KEYS;
    const agent = keys[parseApiKey(request)];
    if (!agent) return send(response, 401, UNAUTHENTICATED);
    if (!/\*\/\*|application\/json/.test(request.headers.accept ?? '*/*')) return send(response, 406, null);
    if (request.method !== 'GET') return send(response, 405, null);

    if (path === '/api/v2/agents/me') return send(response, 200, describeAgent(agent));
    const search = list === null ? findRoute(this.#routes.searches, path) : null;
    const record = list === null && search === null ? findRoute(this.#routes.records, path) : null;
    const route = list ?? search ?? record;
    if (route === null) return send(response, 404, null);
    const error = this.#findAccessError(route, agent);
    if (error) return send(response, 403, error);
    if (route === list) return this.#sendList(route, url, response);
    if (route === search) return this.#sendSearch(route, query, response);
    return this.#sendRecord(route, response);
  }

  #setHeaders(response: ServerResponse): void {
    response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
    response.setHeader('x-request-id', randomUUID());
    // Send the time of the account's clock, so that a test that sets this clock also sets the
    // `Date` header.
    response.setHeader('date', new Date(this.account.nowSeconds() * 1000).toUTCString());
    response.setHeader('set-cookie', '_x_w=1; path=/');
  }

  /** Takes credits and sets the rate-limit headers. @returns whether enough credits were left. */
  #spendCredits(response: ServerResponse, bucket: string | null, credits: number): boolean {
    const result = this.limits.spend(bucket, credits);
    if (this.limits.isLimited) {
      response.setHeader('x-ratelimit-total', String(result.total));
      response.setHeader('x-ratelimit-remaining', String(result.remaining));
      response.setHeader('x-ratelimit-used-currentrequest', String(credits));
    }
    if (!result.allowed) response.setHeader('retry-after', String(result.retryAfterSeconds));
    return result.allowed;
  }

  #findAccessError({ object, feature }: RouteMatch, { admin }: Agent): { code: string; message: string } | null {
    const missing = [object.feature, feature].find((name) => name !== null && this.missingFeatures.has(name));
    if (missing) {
      const message = `The ${missing} feature(s) is/are not supported in your plan. Please upgrade your account to use it.`;
      return { code: 'require_feature', message };
    }
    if (object.permission === 'admin' && !admin)
      return { code: 'access_denied', message: 'You are not authorized to perform this action.' };
    return null;
  }

  #sendList(route: RouteMatch, url: URL, response: ServerResponse): void {
    const { pathname, searchParams: query } = url;
    const token = query.get('next_token');
    const fixed = route.object.list.responses?.[token ? `${pathname}#${token}` : pathname];
    if (fixed !== undefined) return send(response, 200, fixed);
    if (route.object.strategy.kind === 'daily-export')
      return this.#sendExport(route.object.strategy.dayParam, query, response);
    const page = renderListPage(this.account, route, query, this.#options);
    if (page === null) return send(response, 404, null);
    if ('invalid' in page) return sendInvalid(response, page.invalid);
    if (page.hasNext) {
      const next = new URL(url);
      next.searchParams.set('page', String(Number(query.get('page') ?? '1') + 1));
      response.setHeader('link', `<https://${HOST}${next.pathname}${next.search}>; rel="next"`);
    }
    sendJson(response, 200, page.body);
  }

  #sendExport(dayParam: string, query: URLSearchParams, response: ServerResponse): void {
    const day = query.get(dayParam) ?? '';
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day))) {
      const message = 'It should be in the date format';
      return sendInvalid(response, { field: dayParam, message, code: 'invalid_value' });
    }
    const file = this.exportFiles.describeFile(day);
    send(response, file === null ? 404 : 200, file);
  }

  #sendSearch({ object }: RouteMatch, query: URLSearchParams, response: ServerResponse): void {
    const page = renderSearchPage(this.account, object, query);
    if ('invalid' in page) return sendInvalid(response, page.invalid);
    sendJson(response, 200, page);
  }

  #sendRecord({ object, isArchive, key }: RouteMatch, response: ServerResponse): void {
    if (key === undefined) return send(response, 404, null);
    this.account.applyPendingChanges();
    const list = this.account.getList(object);
    const number = list.findNumber(key);
    const exists =
      number >= 0 &&
      number < list.length &&
      (isArchive ? list.isArchived(number) : object.views[list.getView(number)] !== undefined);
    if (!exists) return send(response, 404, null);
    // Append the fields as text. Parsing the record would lose digits of large numbers.
    const detail = JSON.stringify(this.account.getDetailFields(object, key)).slice(1);
    const text = this.account.renderRecord(object, number, NO_HIDDEN_COLUMNS);
    sendJson(response, 200, Buffer.from(detail === '}' ? text : `${text.slice(0, -1)},${detail}`));
  }
}

/** Returns the response of `GET /agents/me`. */
function describeAgent({ admin, ticketScope }: Agent): object {
  return {
    id: 84_001_000_000,
    ticket_scope: ticketScope,
    type: 'support_agent',
    occasional: false,
    available: true,
    group_ids: [],
    role_ids: [admin ? 84_050_000_501 : 84_050_000_504],
    skill_ids: [],
    contact: { active: true, name: admin ? 'Ada Admin' : 'Alan Agent', email: 'me@northlamp.example' },
    created_at: '2023-06-01T08:00:11Z',
    updated_at: '2024-11-20T14:03:55Z',
  };
}

/** Returns the API key of a request with Basic authorization, otherwise an empty string. */
function parseApiKey(request: IncomingMessage): string {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic' || value === undefined) return '';
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? '';
}

function sendInvalid(response: ServerResponse, error: object): void {
  send(response, 400, { description: 'Validation failed', errors: [error] });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (body === null) {
    response.writeHead(status, { 'content-length': 0 }).end();
    return;
  }
  sendJson(response, status, Buffer.from(JSON.stringify(body)));
}

function sendJson(response: ServerResponse, status: number, body: Buffer): void {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
    .end(body);
}
