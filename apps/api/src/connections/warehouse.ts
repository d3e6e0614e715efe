import type { Destination as StoredDestination } from '@freshet/control-store';
import { Warehouse } from '@freshet/warehouse-loader';
import type { Deps } from '../context.ts';

/**
 * Runs `work` with a connection to a destination’s warehouse, and closes the connection afterwards.
 */
export async function withWarehouse<T>(
  { store, outboundPolicy }: Deps,
  destination: StoredDestination,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  const password = await store.credentials.reveal(destination.credential_id, 'postgres_password');
  const { host, port, database, username, ssl_mode: sslMode, ssl_ca: sslCa } = destination;
  const warehouse = new Warehouse({ host, port, database, username, password, sslMode, sslCa }, 1, outboundPolicy);
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}
