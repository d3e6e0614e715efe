import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { catalogue, INCLUDE_COST, type ObjectSpec } from '@freshet/freshdesk-extractor';
import { type AccountOptions, SimulatedAccount } from './account.ts';
import { commit, type Faults, faultOf } from './faults.ts';
import { type Plan, RateLimits } from './limits.ts';
import { answerList, answerSearch, includesOf, type ListQuirks } from './lists.ts';

export interface SimulatorOptions extends Partial<AccountOptions>, ListQuirks {
  readonly plan?: Plan;
  /** The lists' own limits count calls, whatever their credits. */
  readonly listsCountCalls?: boolean;
  /** API keys and what their agents may see. */
  readonly keys?: Readonly<Record<string, { readonly admin: boolean; readonly ticketScope: 1 | 2 | 3 }>>;
  /** Features that the plan lacks, as error messages name them. */
  readonly withoutFeatures?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly faults?: Faults;
  /** Called for every request before it is answered; may take the answer over. For faults in tests. */
  readonly intercept?: (request: SimulatedRequest, response: ServerResponse) => boolean | Promise<boolean>;
}

interface SimulatedRequest {
  readonly number: number;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Keys that an account has unless told otherwise: one of an admin, one of an agent without admin rights. */
export const DEFAULT_KEYS = {
  'demo-admin-key': { admin: true, ticketScope: 1 },
  'demo-agent-key': { admin: false, ticketScope: 1 },
} as const satisfies SimulatorOptions['keys'];

/** What links name: the account's own host, wherever it is simulated. */
const HOST = 'simulated.freshdesk.com';
const NOTHING_HIDDEN: ReadonlySet<string> = new Set();

interface Route {
  readonly object: ObjectSpec;
  readonly pattern: RegExp;
  /** It knows what is in the archive, and nothing else. */
  readonly archived: boolean;
  /** The plan's feature that it needs beside the object's own. */
  readonly feature: string | null;
  /** It lists what stands within another child. */
  readonly within?: true;
}

/** Freshdesk's API v2 over a simulated account, on a real socket. */
export class FreshdeskSimulator {
  readonly account: SimulatedAccount;
  readonly limits: RateLimits;
  /** Calls answered so far, by path with keys replaced by `{id}`. */
  readonly calls = new Map<string, number>();
  /** Features that the plan lacks; it may change at any moment. */
  readonly withoutFeatures: Set<string>;
  readonly #options: SimulatorOptions;
  readonly #server: Server;
  readonly #lists: readonly Route[];
  readonly #views: readonly Route[];
  readonly #searches: readonly Route[];
  #requests = 0;

  constructor(options: SimulatorOptions = {}) {
    this.#options = options;
    this.withoutFeatures = new Set(options.withoutFeatures);
    const now = options.now ?? Date.now;
    this.account = new SimulatedAccount({ seed: 1, asOf: new Date(now()), spanDays: 365, ...options });
    this.limits = new RateLimits(options.plan ?? 'unlimited', now, options.listsCountCalls);
    const route = (object: ObjectSpec, path: string, archived = false, feature: string | null = null): Route => ({
      object,
      pattern: new RegExp(`^${path.replace('{id}', '(\\d+)')}$`),
      archived,
      feature,
    });
    const archive = catalogue.flatMap(({ single }) => single?.elsewhere.filter((e) => e.deleted === null) ?? []);
    const featureOf = (path: string) => archive.find((e) => path.startsWith(e.path))?.feature ?? null;
    this.#lists = catalogue.flatMap((object) => {
      const { way } = object;
      const elsewhere =
        way.kind === 'children' && way.elsewhere !== null
          ? [route(object, way.elsewhere, true, featureOf(way.elsewhere))]
          : [];
      const within =
        way.kind === 'children' && way.within ? [{ ...route(object, way.within.path), within: true as const }] : [];
      return object.rows === null
        ? [route(object, object.path), ...elsewhere, ...within]
        : Object.keys(object.list.answers ?? {}).flatMap((path) => (path.includes('#') ? [] : [route(object, path)]));
    });
    this.#views = catalogue
      .filter((o) => o.way.kind !== 'children' && o.rows === null)
      .flatMap((object) => [
        route(object, `${object.path}/{id}`),
        ...(object.single?.elsewhere ?? [])
          .filter((e) => e.deleted === null)
          .map((e) => route(object, e.path, true, e.feature)),
      ]);
    this.#searches = catalogue.flatMap((object) => (object.search === null ? [] : [route(object, object.search)]));
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** @returns the origin that it answers at. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1', resolve);
    });
    return this.origin;
  }

  /** Where it answers, once it listens. */
  get origin(): string {
    return `http://${this.#options.host ?? '127.0.0.1'}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** All calls answered so far. */
  get callCount(): number {
    return [...this.calls.values()].reduce((sum, n) => sum + n, 0);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const path = url.pathname;
    const query = url.searchParams;
    this.#requests++;
    if (this.#options.intercept && (await this.#options.intercept({ number: this.#requests, path, query }, response)))
      return;
    const label = path.replace(/\d+/g, '{id}');
    this.calls.set(label, (this.calls.get(label) ?? 0) + 1);
    response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
    response.setHeader('x-request-id', randomUUID());
    // The account's clock, not this machine's: readers go by it.
    response.setHeader('date', new Date(this.account.nowSeconds() * 1000).toUTCString());
    response.setHeader('set-cookie', '_x_w=1; path=/');
    const fault = faultOf(this.#options.faults, this.#requests);
    if (fault !== null && (await commit(fault, response, (seconds) => this.limits.block(seconds)))) return;

    const list = this.#match(this.#lists, path);
    // Failed and invalid calls cost as well.
    const credits = list ? 1 + INCLUDE_COST * includesOf(query).length : 1;
    const spent = this.limits.spend(list?.object.bucket ?? null, credits);
    if (this.limits.limited) {
      response.setHeader('x-ratelimit-total', String(spent.total));
      response.setHeader('x-ratelimit-remaining', String(spent.remaining));
      response.setHeader('x-ratelimit-used-currentrequest', String(credits));
    }
    if (!spent.allowed) {
      response.setHeader('retry-after', String(spent.retryAfterSeconds));
      return send(response, 429, { message: 'You have exceeded the limit of requests per minute' });
    }

    const key = keyOf(request);
    const agent = (this.#options.keys ?? (DEFAULT_KEYS as NonNullable<SimulatorOptions['keys']>))[key];
    if (!agent)
      return send(response, 401, {
        code: 'invalid_credentials',
        message: 'You have to be logged in to perform this action.',
      });
    const accept = request.headers.accept ?? '*/*';
    if (!/\*\/\*|application\/json/.test(accept)) return send(response, 406, null);
    if (request.method !== 'GET') return send(response, 405, null);

    if (path === '/api/v2/agents/me') return send(response, 200, this.#me(agent));
    if (list) return this.#list(list, list.parent, query, agent.admin, url, response);
    const searched = this.#match(this.#searches, path);
    if (searched) return this.#search(searched, query, agent.admin, response);
    const view = this.#match(this.#views, path);
    if (view?.parent !== undefined) return this.#view(view, view.parent, agent.admin, response);
    return send(response, 404, null);
  }

  #match(routes: readonly Route[], path: string): (Route & { readonly parent: number | undefined }) | null {
    for (const route of routes) {
      const match = route.pattern.exec(path);
      if (match) return { ...route, parent: match[1] === undefined ? undefined : Number(match[1]) };
    }
    return null;
  }

  #refusal({ object, feature }: Route, admin: boolean): { code: string; message: string } | null {
    const missing = [object.feature, feature].find((name) => name !== null && this.withoutFeatures.has(name));
    if (missing) {
      const message = `The ${missing} feature(s) is/are not supported in your plan. Please upgrade your account to use it.`;
      return { code: 'require_feature', message };
    }
    if (object.permission === 'admin' && !admin)
      return { code: 'access_denied', message: 'You are not authorized to perform this action.' };
    return null;
  }

  #list(
    route: Route,
    parent: number | undefined,
    query: URLSearchParams,
    admin: boolean,
    url: URL,
    response: ServerResponse,
  ): void {
    const refusal = this.#refusal(route, admin);
    if (refusal) return send(response, 403, refusal);
    const token = query.get('next_token');
    const whole = route.object.list.answers?.[token ? `${url.pathname}#${token}` : url.pathname];
    if (whole !== undefined) return send(response, 200, whole);
    const answer = answerList(this.account, route.object, parent, query, this.#options, route);
    if (answer === null) return send(response, 404, null);
    if ('invalid' in answer) return send(response, 400, { description: 'Validation failed', errors: [answer.invalid] });
    if (answer.hasNext) {
      const next = new URL(url);
      next.searchParams.set('page', String(Number(query.get('page') ?? '1') + 1));
      response.setHeader('link', `<https://${HOST}${next.pathname}${next.search}>; rel="next"`);
    }
    sendJson(response, 200, answer.body);
  }

  #search(route: Route, query: URLSearchParams, admin: boolean, response: ServerResponse): void {
    const refusal = this.#refusal(route, admin);
    if (refusal) return send(response, 403, refusal);
    const answer = answerSearch(this.account, route.object, query);
    if ('invalid' in answer) return send(response, 400, { description: 'Validation failed', errors: [answer.invalid] });
    sendJson(response, 200, answer);
  }

  #view(route: Route, key: number, admin: boolean, response: ServerResponse): void {
    const refusal = this.#refusal(route, admin);
    if (refusal) return send(response, 403, refusal);
    this.account.settle();
    const { object, archived } = route;
    const list = this.account.listOf(object);
    const number = list.numberOf(key);
    const exists =
      number >= 0 &&
      number < list.length &&
      (archived ? list.isArchived(number) : object.views[list.viewOf(number)] !== undefined);
    if (!exists) return send(response, 404, null);
    // As text, so that no digit is touched.
    const more = JSON.stringify(this.account.detailOf(object, key)).slice(1);
    const text = this.account.textOf(object, number, NOTHING_HIDDEN);
    return sendJson(response, 200, Buffer.from(more === '}' ? text : `${text.slice(0, -1)},${more}`));
  }

  #me(agent: { readonly admin: boolean; readonly ticketScope: number }): object {
    return {
      id: 84_001_000_000,
      ticket_scope: agent.ticketScope,
      type: 'support_agent',
      occasional: false,
      available: true,
      group_ids: [],
      role_ids: [agent.admin ? 84_050_000_501 : 84_050_000_504],
      skill_ids: [],
      contact: { active: true, name: agent.admin ? 'Ada Admin' : 'Alan Agent', email: 'me@northlamp.example' },
      created_at: '2023-06-01T08:00:11Z',
      updated_at: '2024-11-20T14:03:55Z',
    };
  }
}

function keyOf(request: IncomingMessage): string {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic' || value === undefined) return '';
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? '';
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
