import { type ControlStore, generateToken } from '@freshet/control-store';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { buildApp } from '../app.ts';
import type { App, Deps } from '../context.ts';

/** A valid id that no resource has. */
export const UNKNOWN_ID = '00000000-0000-7000-8000-000000000000';

export type Method = 'get' | 'post' | 'patch' | 'delete';
type SimulatorOptions = ConstructorParameters<typeof FreshdeskSimulator>[0];

interface Options {
  /** Options of the simulated Freshdesk account. Absent: no account is simulated. */
  readonly simulator?: SimulatorOptions;
  /** The networks to which the API may connect. */
  readonly allowedAddresses?: string;
  /** Whether all resources are deleted before each test. Default: true. */
  readonly resetsBeforeEach?: boolean;
}

/** An API that uses a test database, and functions that send requests to the API. */
export interface TestApi {
  readonly app: App;
  readonly store: ControlStore;
  readonly sql: TestStore['database']['sql'];
  readonly databaseName: string;
  /** The connection URL of the control database. */
  readonly databaseUrl: string;
  /** The `team_admin` token that `call` sends by default. */
  readonly token: string;
  readonly createPipeline: TestStore['createPipeline'];
  readonly call: (method: Method, path: string, token?: string, app?: App) => supertest.Test;
  /** Builds a second API that uses the same database. The caller must close this API. */
  readonly build: (deps?: Partial<Deps>) => Promise<App>;
  /** Deletes all resources except `token`. The audit log remains. */
  readonly reset: () => Promise<void>;
  /** Sends a request that creates a resource, and returns the resource. */
  readonly create: <T = { readonly id: string }>(path: string, body: object) => Promise<T>;
}

/** Starts an API for the tests of a file. */
export function useTestApi({
  simulator: simulatorOptions,
  allowedAddresses = '',
  resetsBeforeEach = true,
}: Options = {}): TestApi {
  const token = generateToken();
  let testStore: TestStore;
  let app: App;
  let simulator: FreshdeskSimulator | null = null;
  let originTemplate: string | null = null;

  const build = (deps: Partial<Deps> = {}) =>
    buildApp({
      store: testStore.store,
      originTemplate,
      isDraining: () => false,
      outboundPolicy: createOutboundPolicy(allowedAddresses),
      metrics: new Metrics('api'),
      requestsPerMinute: 1_000_000,
      help: { folder: '' },
      ...deps,
    });
  const call = (method: Method, path: string, requestToken = token, of = app) =>
    supertest(of.server)[method](path).set('authorization', `Bearer ${requestToken}`);

  async function reset(): Promise<void> {
    // Deleting a few rows is much faster than truncating tables, which creates new files.
    await testStore.database.sql.unsafe(`
      delete from freshet.pipelines;
      delete from freshet.destinations;
      delete from freshet.credentials;
      delete from freshet.webhooks;
      delete from freshet.events;
      delete from freshet.idempotency_keys;
      delete from freshet.dead_jobs;
      delete from freshet.api_tokens where name <> 'bootstrap'`);
  }

  beforeAll(async () => {
    testStore = await openTestStore();
    await testStore.store.tokens.ensureBootstrap(token);
    if (simulatorOptions !== undefined) {
      simulator = new FreshdeskSimulator(simulatorOptions);
      originTemplate = await simulator.listen();
    }
    app = await build();
  });
  afterAll(async () => {
    await app.close();
    await simulator?.close();
    await testStore[Symbol.asyncDispose]();
  });
  if (resetsBeforeEach) beforeEach(() => reset());

  return {
    get app() {
      return app;
    },
    get store() {
      return testStore.store;
    },
    get sql() {
      return testStore.database.sql;
    },
    get databaseName() {
      return testStore.database.name;
    },
    get databaseUrl() {
      return testStore.database.url;
    },
    token,
    createPipeline: (...args) => testStore.createPipeline(...args),
    call,
    build,
    reset,
    create: async (path, body) => (await call('post', path).send(body).expect(201)).body,
  };
}

/** A valid body for the creation of a credential with a Freshdesk API key. */
export const KEY_INPUT = { name: 'key', type: 'freshdesk_api_key', api_key: 'demo-admin-key' };

/**
 * Creates the credentials and the destination of a pipeline. The warehouse is the test database.
 * @returns the API key, the destination with its body, and a valid body for the pipeline.
 */
export async function createPipelineInput({ create, databaseName }: TestApi) {
  const key = await create('/v1/credentials', KEY_INPUT);
  const { hostname, port, username, password } = new URL(inject('postgresUrl'));
  const secret = await create('/v1/credentials', { name: 'password', type: 'postgres_password', password });
  const destinationInput = {
    name: 'warehouse',
    type: 'postgres',
    host: hostname,
    port: Number(port),
    database: databaseName,
    username,
    credential_id: secret.id,
    ssl_mode: 'disable',
  };
  const destination = await create<{ readonly id: string; readonly ssl_ca: string | null }>(
    '/v1/destinations',
    destinationInput,
  );
  const input = {
    name: 'acme',
    source: { type: 'freshdesk', subdomain: 'https://acme.freshdesk.com/', credential_id: key.id },
    destination_id: destination.id,
  };
  return { key, destination, destinationInput, input };
}
