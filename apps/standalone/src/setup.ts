import { AppError } from '@freshet/contracts';
import type { ApiClient } from './api-client.ts';

export interface PipelineWish {
  readonly subdomain: string;
  readonly apiKey: string;
  readonly warehouseUrl: string;
  readonly historicalSyncDays: number | null;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface PipelineAnswer extends Named {
  readonly destination_id: string;
  readonly destination_schema: string;
  readonly source: { readonly credential_id: string };
}

interface List<T> {
  readonly data: readonly T[];
}

/**
 * Makes the first pipeline, or finds it and gives it today's key and address. The account and the warehouse are
 * tried first, so that a mistake is told here and not by a run that fails.
 * @throws AppError `configuration` that says what is wrong and what would be right.
 */
export async function setUpPipeline(api: ApiClient, wish: PipelineWish): Promise<PipelineAnswer> {
  const warehouse = addressOf(wish.warehouseUrl);
  const found = await api.call<List<PipelineAnswer>>('GET', `/v1/pipelines?name=${encodeURIComponent(wish.subdomain)}`);
  const known = found.data[0];
  if (known) {
    await api.call('PATCH', `/v1/credentials/${known.source.credential_id}`, { api_key: wish.apiKey });
    const destination = await api.call<{ credential_id: string }>('GET', `/v1/destinations/${known.destination_id}`);
    await api.call('PATCH', `/v1/credentials/${destination.credential_id}`, { password: warehouse.password });
    await api.call('PATCH', `/v1/destinations/${known.destination_id}`, warehouse.destination);
    await checkWarehouse(api, known.destination_id, known.destination_schema);
    return known;
  }
  const key = await api.call<Named>('POST', '/v1/credentials', {
    name: `${wish.subdomain} API key`,
    type: 'freshdesk_api_key',
    api_key: wish.apiKey,
  });
  const made: [string, string][] = [['credentials', key.id]];
  try {
    await checkAccount(api, wish.subdomain, key.id);
    const password = await api.call<Named>('POST', '/v1/credentials', {
      name: `${wish.subdomain} warehouse`,
      type: 'postgres_password',
      password: warehouse.password,
    });
    made.unshift(['credentials', password.id]);
    const destination = await api.call<Named>('POST', '/v1/destinations', {
      name: `${wish.subdomain} warehouse`,
      type: 'postgres',
      ...warehouse.destination,
      credential_id: password.id,
    });
    made.unshift(['destinations', destination.id]);
    await checkWarehouse(api, destination.id, `freshdesk_${wish.subdomain.replaceAll('-', '_')}`);
    return await api.call<PipelineAnswer>('POST', '/v1/pipelines', {
      name: wish.subdomain,
      source: {
        type: 'freshdesk',
        subdomain: wish.subdomain,
        credential_id: key.id,
        historical_sync_days: wish.historicalSyncDays,
      },
      destination_id: destination.id,
    });
  } catch (error) {
    // What was made for a pipeline that cannot be goes again, so that the next start tries from the beginning.
    for (const [kind, id] of made) await api.call('DELETE', `/v1/${kind}/${id}`);
    throw error;
  }
}

async function checkAccount(api: ApiClient, subdomain: string, credentialId: string): Promise<void> {
  const verdict = await api.call<{ ok: boolean; error: { message: string } | null }>('POST', '/v1/pipelines/test', {
    subdomain,
    credential_id: credentialId,
  });
  if (verdict.error)
    throw new AppError('configuration', `The account "${subdomain}" cannot be read: ${verdict.error.message}`);
  if (!verdict.ok)
    throw new AppError(
      'configuration',
      `The key may read no object of the account "${subdomain}". Use the API key of an admin.`,
    );
}

async function checkWarehouse(api: ApiClient, destinationId: string, schema: string): Promise<void> {
  const verdict = await api.call<{ usable: boolean; missing_grants: string[]; error: { message: string } | null }>(
    'POST',
    `/v1/destinations/${destinationId}/test?schema=${encodeURIComponent(schema)}`,
  );
  if (verdict.error) throw new AppError('configuration', `WAREHOUSE_URL: ${verdict.error.message}`);
  if (!verdict.usable)
    throw new AppError(
      'configuration',
      `WAREHOUSE_URL: the role may not make what is needed. Somebody with the right to must run:\n  ${verdict.missing_grants.join('\n  ')}`,
    );
}

function addressOf(warehouseUrl: string) {
  const url = new URL(warehouseUrl);
  const asked = url.searchParams.get('sslmode');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '' || url.username === '') {
    throw new AppError(
      'configuration',
      'WAREHOUSE_URL must name a user and a database: postgres://user:password@host:5432/database',
    );
  }
  return {
    password: decodeURIComponent(url.password),
    destination: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 5432),
      database,
      username: decodeURIComponent(url.username),
      ssl_mode:
        asked === 'disable' || asked === 'require' || asked === 'verify-full'
          ? asked
          : local
            ? 'disable'
            : 'verify-full',
    },
  };
}
