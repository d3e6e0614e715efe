import { type Freshet, FreshetError, type Schemas } from '@freshet/client';
import { AppError, parseWarehouseUrl, type WarehouseUrl } from '@freshet/contracts';

export interface PipelineSettings {
  readonly subdomain: string;
  readonly apiKey: string;
  readonly warehouseUrl: string;
  /** Null: all history. */
  readonly historicalSyncDays: number | null;
  /**
   * Whether the pipeline has analytics models. Null: a new pipeline has them, and an existing
   * pipeline is not changed. Absent: the pipeline has the defaults of the API.
   */
  readonly analytics?: boolean | null;
  /**
   * The settings of objects of a new pipeline. Absent: the pipeline has the default selection, and
   * the objects with `included_if_available` that the test of the account finds available.
   */
  readonly objects?: NonNullable<Schemas['PipelineInput']['objects']>;
}

export type ConfiguredPipeline = Schemas['Pipeline'];

/**
 * Creates the pipeline of the account, or updates the API key, the warehouse and the analytics
 * setting of the existing pipeline. Before the creation, tests the account and the warehouse. After
 * an update, tests only the warehouse. In this way, an invalid setting is reported here and not by
 * a failed run.
 * @throws AppError `configuration` that states the invalid setting and the remedy.
 */
export async function setUpPipeline(client: Freshet, settings: PipelineSettings): Promise<ConfiguredPipeline> {
  const warehouse = parseWarehouseUrl(settings.warehouseUrl);
  const existing = await findPipeline(client, settings.subdomain);
  return await withConfigurationErrors(async () => {
    if (existing === null) return await createPipeline(client, settings, warehouse);
    await updateConnections(client, existing, settings.apiKey, warehouse);
    const { analytics = null } = settings;
    if (analytics === null || analytics === existing.analytics) return existing;
    return await client.patch('/v1/pipelines/{id}', { params: { path: { id: existing.id } }, body: { analytics } });
  });
}

/**
 * Returns the pipeline that `setUpPipeline` has created for an account; null: there is none.
 * @throws AppError `configuration`, for example if the token has expired.
 */
export async function findPipeline(client: Freshet, subdomain: string): Promise<ConfiguredPipeline | null> {
  const query = { name: subdomain };
  const { data } = await withConfigurationErrors(() => client.get('/v1/pipelines', { params: { query } }));
  return data[0] ?? null;
}

async function withConfigurationErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FreshetError) throw new AppError('configuration', error.message, { cause: error });
    throw error;
  }
}

async function updateConnections(
  client: Freshet,
  pipeline: ConfiguredPipeline,
  apiKey: string,
  warehouse: WarehouseUrl,
): Promise<void> {
  const updateCredential = (id: string, body: { readonly api_key: string } | { readonly password: string }) =>
    client.patch('/v1/credentials/{id}', { params: { path: { id } }, body });
  const params = { path: { id: pipeline.destination_id } };
  await updateCredential(pipeline.source.credential_id, { api_key: apiKey });
  const destination = await client.get('/v1/destinations/{id}', { params });
  await updateCredential(destination.credential_id, { password: warehouse.password });
  await client.patch('/v1/destinations/{id}', { params, body: toDestination(warehouse) });
  await testWarehouse(client, pipeline.destination_id, [pipeline.destination_schema]);
}

async function createPipeline(
  client: Freshet,
  { subdomain, apiKey, historicalSyncDays, analytics, objects }: PipelineSettings,
  warehouse: WarehouseUrl,
): Promise<ConfiguredPipeline> {
  // The functions that delete the created resources, the newest resource first.
  const rollbacks: (() => Promise<unknown>)[] = [];
  const deleteCredential = (id: string) => client.delete('/v1/credentials/{id}', { params: { path: { id } } });
  try {
    const key = await client.post('/v1/credentials', {
      body: { name: `${subdomain} API key`, type: 'freshdesk_api_key', api_key: apiKey },
    });
    rollbacks.unshift(() => deleteCredential(key.id));
    const availableObjects = await testAccount(client, subdomain, key.id);
    const name = `${subdomain} warehouse`;
    const password = await client.post('/v1/credentials', {
      body: { name, type: 'postgres_password', password: warehouse.password },
    });
    rollbacks.unshift(() => deleteCredential(password.id));
    const destination = await client.post('/v1/destinations', {
      body: { name, type: 'postgres', ...toDestination(warehouse), credential_id: password.id },
    });
    const params = { path: { id: destination.id } };
    rollbacks.unshift(() => client.delete('/v1/destinations/{id}', { params }));
    const schema = `freshdesk_${subdomain.replaceAll('-', '_')}`;
    const hasModels = analytics === null || analytics === true;
    await testWarehouse(client, destination.id, hasModels ? [schema, `${schema}_analytics`] : [schema]);
    return await client.post('/v1/pipelines', {
      body: {
        name: subdomain,
        source: {
          type: 'freshdesk',
          subdomain,
          credential_id: key.id,
          historical_sync_days: historicalSyncDays,
        },
        destination_id: destination.id,
        ...(analytics === undefined ? {} : { analytics: analytics ?? true }),
        objects: objects ?? (await includeAvailableObjects(client, availableObjects)),
      },
    });
  } catch (error) {
    // The next start creates the resources again with the corrected settings.
    for (const rollBack of rollbacks) await rollBack();
    throw error;
  }
}

/** @returns the names of the objects that the key can read. */
async function testAccount(client: Freshet, subdomain: string, credentialId: string): Promise<readonly string[]> {
  const result = await client.post('/v1/pipelines/test', { body: { subdomain, credential_id: credentialId } });
  if (result.error)
    throw new AppError('configuration', `The account "${subdomain}" cannot be read: ${result.error.message}`);
  if (!result.ok)
    throw new AppError(
      'configuration',
      `FRESHDESK_API_KEY: the key has no access to any object of the account "${subdomain}". Use the API key of an administrator.`,
    );
  return result.objects.filter(({ verdict }) => verdict === 'available').map(({ object }) => object);
}

async function includeAvailableObjects(
  client: Freshet,
  available: readonly string[],
): Promise<Record<string, { readonly included: true }>> {
  const { data } = await client.get('/v1/catalog/objects');
  const names = data.filter((object) => object.included_if_available).map(({ name }) => name);
  return Object.fromEntries(names.filter((name) => available.includes(name)).map((name) => [name, { included: true }]));
}

/** @param schemas the schemas of the tables and, if the pipeline has models, of the models. */
async function testWarehouse(client: Freshet, destinationId: string, schemas: readonly string[]): Promise<void> {
  const missingGrants = new Set<string>();
  let isUsable = true;
  for (const schema of schemas) {
    const result = await client.post('/v1/destinations/{id}/test', {
      params: { path: { id: destinationId }, query: { schema } },
    });
    if (result.error) throw new AppError('configuration', `WAREHOUSE_URL: ${result.error.message}`);
    for (const grant of result.missing_grants) missingGrants.add(grant);
    isUsable &&= result.usable;
  }
  if (!isUsable)
    throw new AppError(
      'configuration',
      `WAREHOUSE_URL: the role lacks privileges. As the owner of the database, run:\n  ${[...missingGrants].join('\n  ')}`,
    );
}

/** Converts the URL of the warehouse to the fields of a destination. */
function toDestination({ host, port, database, username, sslMode }: WarehouseUrl) {
  return { host, port, database, username, ssl_mode: sslMode };
}
